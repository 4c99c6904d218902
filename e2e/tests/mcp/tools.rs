//! Tools that a person describes: programs and requests, in a sandbox of their own, with arguments that attack.

use std::fs;

use ringfence_e2e::Host;
use ringfence_testkit::Ca;
use ringfence_testkit::api::{Api, ApiResponse, echo};
use ringfence_testkit::process::{command, run as command_run};
use serde_json::{Value, json};

use super::tools_desk::{call, run, serve, text};

/// What opens the API, and no sandbox ever sees.
const KEY: &str = "crm-real-Hd7Wq2ZkV9sXb4MfJt6P";

const TOOLS: &str = r#"
apiVersion: ringfence/v1
kind: Tools
description: The CRM of Acme, and this project.
tools:
  - name: log
    description: What an author changed.
    readOnly: true
    arguments:
      properties: { author: { type: string }, paths: { type: array, items: { type: string } } }
    command: [git, log, --format=%s, "--author={author?}", --, "{paths...}"]
    output: lines
  - name: clone
    description: Looks at a repository.
    arguments: { properties: { url: { type: string } }, required: [url] }
    command: [git, ls-remote, "{url}", .]
  - name: count
    description: How long a text is.
    readOnly: true
    arguments: { properties: { text: { type: string } }, required: [text] }
    command: [wc, -c]
    stdin: "{text}"
  - name: leak
    description: Prints all that it knows.
    command: [env]
    environment: [CRM_TOKEN]
  - name: bare
    description: Prints what every program knows.
    command: [env]
  - name: flood
    description: Never stops.
    command: ["yes"]
    timeout: 2
    limit: 1000
  - name: account
    description: One account.
    readOnly: true
    arguments:
      properties: { id: { type: string }, q: { type: string }, trace: { type: string } }
      required: [id]
    http:
      method: GET
      url: "https://crm.acme.test/accounts/{id}"
      query: { q: "{q?}" }
      headers: { X-Trace: "{trace?}" }
  - name: note
    description: Writes a note.
    arguments: { properties: { id: { type: integer }, body: { type: object }, by: { type: string, default: robot } }, required: [id, body] }
    http: { method: POST, url: "https://crm.acme.test/accounts/{id}/notes", body: { note: "{body}", by: "by {by}" } }
  - name: elsewhere
    description: A host that the profile of the server does not allow.
    http: { method: GET, url: "https://evil.acme.test/" }
"#;

/// The rules of the server's own sandbox.
const PROFILE: &str = r#"
apiVersion: ringfence/v1
kind: Profile
name: crm
tokens:
  - { env: [CRM_TOKEN], credentials: [crm] }
api:
  - allow: { id: crm, host: crm.acme.test, methods: [GET, POST], paths: ["/accounts/**"], credential: crm }
"#;

struct Crm {
    host: Host,
    api: Api,
}

impl Crm {
    fn new() -> Self {
        let mut host = Host::new();
        let ca = Ca::new(host.workdir()).unwrap();
        host.trust(&ca);
        let api = Api::start(
            host.workdir(),
            &ca,
            &["crm.acme.test", "evil.acme.test"],
            |request| {
                if request.header("authorization") != Some(&format!("Bearer {KEY}")) {
                    return ApiResponse::json(401, &json!({ "error": "who are you?" }));
                }
                match request.path.as_str() {
                    "/accounts/moved" => {
                        ApiResponse::new(302, "").with("Location", "https://evil.acme.test/")
                    }
                    "/accounts/huge" => {
                        ApiResponse::json(200, &json!({ "a": "x".repeat(3 << 20) }))
                    }
                    _ => echo(request),
                }
            },
        );
        let api = api.unwrap();
        for name in ["crm.acme.test", "evil.acme.test"] {
            host.name(name, api.https());
        }
        let arguments = [
            "credential",
            "add",
            "crm",
            "--kind",
            "bearer",
            "--host",
            "crm.acme.test",
        ];
        let ended = host.ringfence_reading(&arguments, KEY);
        assert_eq!(ended.code, 0, "{ended}");
        host.profile("crm", PROFILE);
        Self { host, api }
    }

    fn ask(&self, asks: &[(&str, Value)]) -> Vec<Value> {
        serve(
            &self.host,
            "crm",
            &json!({ "kind": "tools", "text": TOOLS }),
            asks,
        )
    }

    fn targets(&self) -> Vec<String> {
        let requests = self.api.requests().into_iter();
        requests
            .map(|it| format!("{} {}?{}", it.method, it.path, it.query))
            .collect()
    }
}

#[test]
fn programs_and_requests_work_and_the_credential_is_put_in_on_the_way() {
    let crm = Crm::new();
    for arguments in [
        "init -q",
        "-c user.name=ada -c user.email=ada@acme.test commit -q --allow-empty -m first",
    ] {
        let mut git = command("git");
        let git = crm
            .host
            .user()
            .run_as(&mut git)
            .current_dir(crm.host.project());
        command_run(git.args(arguments.split(' '))).unwrap();
    }
    let answers = crm.ask(&[
        ("tools/list", json!({})),
        call("log", json!({ "author": "ada" })),
        call("log", json!({ "author": "nobody" })),
        call("count", json!({ "text": "four" })),
        call("account", json!({ "id": "a b+c", "q": "x&y=z" })),
        call(
            "note",
            json!({ "id": 7, "body": { "text": "{by}\" , \"admin\": true" } }),
        ),
    ]);
    let tools = answers[0]["result"]["tools"].as_array().unwrap();
    let log = tools.iter().find(|it| it["name"] == "log").unwrap();
    assert_eq!(log["annotations"]["readOnlyHint"], true);
    assert_eq!(log["inputSchema"]["additionalProperties"], false);
    assert_eq!(
        answers[1]["result"]["structuredContent"]["lines"],
        json!(["first"]),
        "{answers:?}"
    );
    assert_eq!(
        answers[2]["result"]["structuredContent"]["lines"],
        json!([])
    );
    assert_eq!(text(&answers[3]).0.trim(), "4");
    let sent = &answers[4]["result"]["structuredContent"];
    assert_eq!(
        (&sent["path"], &sent["query"]),
        (&json!("/accounts/a%20b%2Bc"), &json!("q=x%26y%3Dz")),
        "{answers:?}"
    );
    let note = &answers[5]["result"]["structuredContent"]["body"];
    let note: Value = serde_json::from_str(note.as_str().unwrap()).unwrap();
    assert_eq!(
        note,
        json!({ "note": { "text": "{by}\" , \"admin\": true" }, "by": "by robot" })
    );
    assert!(
        !format!("{answers:?}").contains(KEY),
        "an API that reflects its caller gives nothing away"
    );
}

#[test]
fn arguments_stay_arguments() {
    let crm = Crm::new();
    crm.host.file("pwn", "#!/bin/sh\ntouch pwned\n");
    let refused = [
        ("log", json!({ "paths": ["--output=pwned"] })),
        ("clone", json!({ "url": "--upload-pack=touch pwned;" })),
        ("clone", json!({ "url": "-oProxyCommand=touch pwned" })),
        ("clone", json!({ "url": "a\u{0}b" })),
        ("clone", json!({ "url": { "a": 1 } })),
        ("clone", json!({ "url": "x", "more": "y" })),
        ("clone", json!({})),
        ("account", json!({ "id": ".." })),
        ("account", json!({ "id": "../admin" })),
        ("account", json!({ "id": "..%2fadmin" })),
        ("account", json!({ "id": "" })),
        ("account", json!({ "id": "1", "trace": "a\r\nX-Admin: 1" })),
        ("account", json!({ "id": "1", "trace": "a\nb" })),
        ("note", json!({ "id": "7/../8", "body": {} })),
    ];
    let harmless = [
        (
            "log",
            json!({ "author": "x; touch pwned; $(touch pwned) `touch pwned`" }),
        ),
        ("account", json!({ "id": "@evil.acme.test" })),
        ("account", json!({ "id": "1?admin=1#x" })),
        ("account", json!({ "id": "1", "q": "a&admin=1" })),
        (
            "account",
            json!({ "id": "1", "q": "a\r\nHost: evil.acme.test" }),
        ),
    ];
    let asks: Vec<_> = refused
        .iter()
        .chain(&harmless)
        .map(|(name, it)| call(name, it.clone()))
        .collect();
    let answers = crm.ask(&asks);
    assert!(!crm.host.project().join("pwned").exists());
    for ((name, arguments), answer) in refused.iter().zip(&answers) {
        let (said, failed) = text(answer);
        assert!(failed, "{name} {arguments}: {answer}");
        // It was not the program or the gateway that stopped it.
        let by_others = said.contains("HTTP") || said.contains("program ended");
        assert!(!by_others, "{name} {arguments}: {said}");
    }
    let targets = crm.targets();
    assert_eq!(
        targets,
        [
            "GET /accounts/%40evil.acme.test?",
            "GET /accounts/1%3Fadmin%3D1%23x?",
            "GET /accounts/1?q=a%26admin%3D1",
            "GET /accounts/1?q=a%0D%0AHost%3A%20evil.acme.test",
        ],
        "{answers:?}"
    );
}

#[test]
fn what_does_not_end_is_ended_and_what_is_too_long_is_cut() {
    let crm = Crm::new();
    let answers = crm.ask(&[
        call("flood", json!({})),
        call("account", json!({ "id": "huge" })),
        call("account", json!({ "id": "moved" })),
        call("elsewhere", json!({})),
        call("nothing", json!({})),
    ]);
    let (said, failed) = text(&answers[0]);
    assert!(failed && said.contains("2 s"), "{said}");
    let (said, failed) = text(&answers[1]);
    assert!(
        !failed && said.len() < 1_100_000 && said.contains("[cut here"),
        "{}",
        said.len()
    );
    let (said, failed) = text(&answers[2]);
    assert!(failed && said.contains("does not follow"), "{said}");
    let (said, failed) = text(&answers[3]);
    assert!(failed, "{said}");
    assert_eq!(answers[4]["error"]["code"], -32602);
    assert_eq!(
        crm.targets().len(),
        2,
        "the other host was never asked: {:?}",
        crm.targets()
    );
}

#[test]
fn a_tool_that_leaks_can_leak_the_stand_in_alone() {
    let crm = Crm::new();
    let answers = crm.ask(&[call("leak", json!({})), call("bare", json!({}))]);
    let (said, _) = text(&answers[0]);
    let token = said
        .lines()
        .find_map(|line| line.strip_prefix("CRM_TOKEN="))
        .unwrap();
    assert!(token.starts_with("rf_"), "{said}");
    let environment = fs::read(crm.host.project().join("environment")).unwrap();
    let environment = String::from_utf8_lossy(&environment);
    assert!(environment.contains("CRM_TOKEN=rf_"), "{environment}");
    assert!(!said.contains(KEY) && !environment.contains(KEY));
    // What a tool does not name, it is not given.
    assert!(
        text(&answers[1]).0.contains("PATH=") && !text(&answers[1]).0.contains("CRM_TOKEN"),
        "{answers:?}"
    );
}

#[test]
fn an_api_by_its_description_is_tools_whose_arguments_stay_arguments() {
    let crm = Crm::new();
    let api = r##"
openapi: 3.1.0
info: { title: CRM, version: "1" }
servers: [{ url: "https://crm.acme.test" }]
paths:
  /accounts/{id}:
    parameters: [{ name: id, in: path, required: true, schema: { $ref: "#/components/schemas/Id" } }]
    get:
      operationId: getAccount
      parameters:
        - { name: "fields[]", in: query, schema: { type: array, items: { type: string } } }
        - { name: X-Trace, in: header, schema: { type: string } }
        - { name: session, in: cookie, schema: { type: string } }
      responses: { 200: { description: It. } }
    patch:
      requestBody: { required: true, content: { application/json: { schema: { $ref: "#/components/schemas/Account" } } } }
  /outside: { get: { parameters: [{ $ref: "https://evil.acme.test/p.json" }] } }
components:
  schemas:
    Id: { type: string, maxLength: 64 }
    Account: { type: object, properties: { parent: { $ref: "#/components/schemas/Account" }, name: { type: string } }, additionalProperties: false }
"##;
    let asks = [
        ("tools/list", json!({})),
        call(
            "getAccount",
            json!({ "id": "7", "fields": ["a", "b&c"], "X-Trace": "t" }),
        ),
        call("getAccount", json!({ "id": "../x" })),
        call(
            "getAccount",
            json!({ "id": "7", "X-Trace": "a\r\nX-Admin: 1" }),
        ),
        call("getAccount", json!({ "id": "7", "session": "stolen" })),
        call(
            "patch_accounts_id",
            json!({ "id": "7", "body": { "parent": { "name": "p" } } }),
        ),
        call(
            "patch_accounts_id",
            json!({ "id": "7", "body": { "parent": { "admin": true } } }),
        ),
    ];
    let answers = serve(
        &crm.host,
        "crm",
        &json!({ "kind": "openapi", "text": api }),
        &asks,
    );
    let names: Vec<&Value> = answers[0]["result"]["tools"]
        .as_array()
        .unwrap()
        .iter()
        .map(|it| &it["name"])
        .collect();
    assert_eq!(names, ["getAccount", "patch_accounts_id"]);
    for refused in [2, 3, 4, 6] {
        assert!(text(&answers[refused]).1, "{}", answers[refused]);
    }
    assert_eq!(
        crm.targets()[0],
        "GET /accounts/7?fields%5B%5D=a&fields%5B%5D=b%26c",
        "{answers:?}"
    );
    // PATCH is not allowed by the profile of the server: the gateway has the last word.
    assert!(
        text(&answers[5]).1 && text(&answers[5]).0.contains("403"),
        "{}",
        answers[5]
    );
    assert_eq!(crm.targets().len(), 1);
}

#[test]
fn outside_of_a_sandbox_nothing_is_served() {
    let host = Host::new();
    let ended = host.ringfence_reading(&["mcp", "serve"], "{\"kind\":\"cloud\"}\n");
    assert_eq!(ended.code, 64, "{ended}");
    assert!(ended.stderr.contains("sandbox"), "{ended}");
}

#[test]
fn a_file_that_is_wrong_is_refused_with_its_line_inside_and_outside() {
    let crm = Crm::new();
    let wrong = TOOLS.replace("{author?}", "{autor?}");
    let path = crm.host.file("tools.yaml", &wrong);
    let ended = crm
        .host
        .ringfence(&["mcp", "check", &path.display().to_string()]);
    assert_eq!(ended.code, 64, "{ended}");
    assert!(
        ended
            .stderr
            .contains("line 6: the tool `log`: `{autor}` is no argument"),
        "{ended}"
    );
    let ended = run(
        &crm.host,
        "crm",
        &json!({ "kind": "tools", "text": wrong }),
        &[],
    );
    assert!(ended.stderr.contains("line 6"), "{ended}");
    let path = crm.host.file("tools.yaml", TOOLS);
    let ended = crm
        .host
        .ringfence(&["mcp", "check", &path.display().to_string()]);
    assert_eq!(
        (ended.code, ended.stdout.contains("account")),
        (0, true),
        "{ended}"
    );
}
