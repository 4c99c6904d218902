//! GraphQL by the profile `github-pr`: one request, many ways to say something else than it seems.

use serde_json::{Value, json};

use super::desk::Desk;

const READ: &str = "query { repository(owner: \"acme\", name: \"web\") { name } }";

/// Bodies that are refused, each with what it tries.
fn attacks() -> Vec<(&'static str, String)> {
    let query = |text: &str| json!({ "query": text }).to_string();
    let with =
        |text: &str, variables: Value| json!({ "query": text, "variables": variables }).to_string();
    let open = |repository: &str, head: &str| {
        let input = json!({"repositoryId": repository, "title": "t", "headRefName": head, "baseRefName": "main"});
        let text = "mutation($input: CreatePullRequestInput!) { createPullRequest(input: $input) { pullRequest { url } } }";
        json!({ "query": text, "variables": { "input": input } }).to_string()
    };
    vec![
        ("a batch", format!("[{},{}]", query(READ), query("mutation { deleteRef(input: {refId: \"r\"}) { clientMutationId } }"))),
        ("a persisted query", json!({"extensions": {"persistedQuery": {"version": 1, "sha256Hash": "00"}}}).to_string()),
        ("a persisted query beside a query", json!({"query": READ, "extensions": {"persistedQuery": {"version": 1, "sha256Hash": "00"}}}).to_string()),
        ("a query by its id", json!({"id": "7", "query": READ}).to_string()),
        ("an alias", query("mutation { viewer: deleteRef(input: {refId: \"r\"}) { clientMutationId } }")),
        ("a fragment", query("query { ...f } fragment f on Query { node(id: \"R_payroll\") { id } }")),
        ("an inline fragment", query("query { ... on Query { repository(owner: \"other\", name: \"plans\") { name } } }")),
        ("the second of two", query("query { a: repository(owner: \"acme\", name: \"web\") { name } b: repository(owner: \"acme\", name: \"payroll\") { name } }")),
        ("a variable", with("query($n: String!) { repository(owner: \"acme\", name: $n) { name } }", json!({"n": "payroll"}))),
        ("a default", with("query($n: String = \"payroll\") { repository(owner: \"acme\", name: $n) { name } }", json!({}))),
        ("the other operation", json!({"query": format!("{READ} mutation m {{ deleteRef(input: {{refId: \"r\"}}) {{ clientMutationId }} }}"), "operationName": "m"}).to_string()),
        ("two without a name", query("query a { viewer { login } } mutation b { deleteRef(input: {refId: \"r\"}) { clientMutationId } }")),
        ("another root", query("query { search(query: \"secret\", type: CODE, first: 9) { codeCount } }")),
        ("a way out of the repository", query("query { repository(owner: \"acme\", name: \"web\") { owner { repositories(first: 9) { nodes { name } } } } }")),
        ("another repository's id", open("R_payroll", "agent/x")),
        ("another branch", open("R_web", "main")),
        ("another owner's branch", open("R_web", "other:agent/x")),
        ("two mutations", query("mutation { a: createPullRequest(input: {repositoryId: \"R_web\", title: \"t\", headRefName: \"agent/x\", baseRefName: \"main\"}) { pullRequest { url } } b: createPullRequest(input: {repositoryId: \"R_payroll\", title: \"t\", headRefName: \"agent/x\", baseRefName: \"main\"}) { pullRequest { url } } }")),
        ("a mutation beside", query("mutation { createPullRequest(input: {repositoryId: \"R_web\", title: \"t\", headRefName: \"agent/x\", baseRefName: \"main\"}) { pullRequest { url } } mergePullRequest(input: {pullRequestId: \"PR_1\"}) { clientMutationId } }")),
        ("a member twice", format!("{{\"query\":{},\"query\":{}}}", json!(READ), json!("mutation { deleteRef(input: {refId: \"r\"}) { clientMutationId } }"))),
        ("a member twice, escaped", format!("{{\"query\":{},\"\\u0071uery\":{}}}", json!(READ), json!("mutation { deleteRef(input: {refId: \"r\"}) { clientMutationId } }"))),
        ("depth", query(&format!("query {{ repository(owner: \"acme\", name: \"web\") {} {} }}", "{ parent ".repeat(40), "}".repeat(40)))),
        ("size", query(&format!("query {{ repository(owner: \"acme\", name: \"web\") {{ {} }} }}", (0..700).map(|i| format!("a{i}: name ")).collect::<String>()))),
        ("a directive that decides later", with("query($b: Boolean!) { repository(owner: \"acme\", name: \"web\") { name } node(id: \"R_payroll\") @include(if: $b) { id } }", json!({"b": true}))),
        ("a subscription", query("subscription { repository(owner: \"acme\", name: \"web\") { name } }")),
        ("no sense", query("query { repository(owner: \"acme\"")),
        ("no query", "{}".to_owned()),
        ("no document", "query { viewer { login } }".to_owned()),
    ]
}

/// Sends each body, then one that is right in five disguises, and at last as it is.
const SEND: &str = r#"
import gzip, json, urllib.error, urllib.parse, urllib.request

def ask(body, url="https://api.github.com/graphql", method="POST", **headers):
    fields = {"Content-Type": "application/json"}
    fields.update({name.replace("_", "-"): value for name, value in headers.items()})
    request = urllib.request.Request(url, body, fields, method=method)
    try:
        answer = urllib.request.urlopen(request, timeout=20)
        print(answer.status, answer.read().decode())
    except urllib.error.HTTPError as error:
        print(error.status, error.headers["X-Ringfence-Reason"], error.read().decode().splitlines()[0])

good = json.loads(open("good").read())["query"]
body = json.dumps({"query": good}).encode()
for line in open("attacks"):
    ask(json.loads(line).encode())
ask(gzip.compress(body), Content_Encoding="gzip")
ask(body, Content_Type="application/x-www-form-urlencoded")
ask(good.encode(), Content_Type="application/graphql")
ask(None, "https://api.github.com/graphql?query=" + urllib.parse.quote(good), "GET")
ask(body, "https://api.github.com/graphql?query=" + urllib.parse.quote("mutation { deleteRef }"))
ask(body)
"#;

#[test]
fn only_what_the_profile_reads_of_it_is_asked_of_github() {
    let mut desk = Desk::new();
    let github = desk.github();
    let attacks = attacks();
    let lines: String = attacks
        .iter()
        .map(|(_, body)| json!(body).to_string() + "\n")
        .collect();
    desk.host.file("attacks", lines);
    desk.host.file("good", json!({ "query": READ }).to_string());
    let ended = desk.host.run().profile("github-pr").python(SEND);
    assert_eq!(ended.code, 0, "{ended}");
    let answers: Vec<&str> = ended.stdout.lines().collect();
    assert_eq!(answers.len(), attacks.len() + 6, "{ended}");
    for ((what, body), answer) in attacks.iter().zip(&answers) {
        assert!(answer.starts_with('4'), "{what}: {answer}: {body}");
    }
    for answer in &answers[attacks.len()..attacks.len() + 5] {
        assert!(answer.starts_with('4'), "{answer}: {ended}");
    }
    let last = answers.last().unwrap();
    assert!(
        last.starts_with("200 ") && last.contains("\"web\""),
        "{last}: {ended}"
    );
    assert_eq!(github.writes(), Vec::<String>::new());
    assert!(github.opened().is_empty());
    let asked: Vec<_> = github
        .requests()
        .into_iter()
        .filter(|it| it.path == "/graphql")
        .collect();
    for request in &asked {
        let query = request.json()["query"].as_str().unwrap().to_owned();
        let words: Vec<&str> = query.split_whitespace().collect();
        assert_eq!(words.join(" "), READ, "{request:?}");
        assert_eq!(
            (request.method.as_str(), request.query.as_str()),
            ("POST", ""),
            "{request:?}"
        );
    }
    assert_eq!(asked.len(), 1, "{asked:?}");
}
