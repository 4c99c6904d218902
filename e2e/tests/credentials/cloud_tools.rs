//! The tools for clouds: an agent learns who it works as and what there is, and the secrets of the principals are nowhere inside.

use ringfence_testkit::api::{ApiRequest, ApiResponse};
use ringfence_testkit::issuer::entra::{self, Entra};
use ringfence_testkit::issuer::{CLIENT_ID, CLIENT_SECRET};
use serde_json::{Value, json};

use super::desk::Desk;
use super::encodings::places;
use crate::mcp::tools_desk::{call, serve, text};

/// The rules of the server's own sandbox. The agent's are others.
const PROFILE: &str = r#"
apiVersion: ringfence/v1
kind: Profile
name: clouds
api:
  - allow: { id: azure, host: management.azure.com, methods: [GET], paths: ["/tenants", "/subscriptions", "/subscriptions/0000/**"], credential: azure }
  - allow:
      id: aws
      host: sts.eu-central-1.amazonaws.com
      methods: [GET]
      query: { params: [{ name: Action, matches: [GetCallerIdentity] }, { name: Version, matches: ["2011-06-15"] }], others: deny }
      credential: aws
"#;

const AWS_SECRET: &str = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY";

fn cloud() -> Value {
    json!({ "kind": "cloud", "text": "" })
}

fn azure(desk: &mut Desk) -> Entra {
    let azure = Entra::start(desk.host.workdir(), &desk.ca).unwrap();
    for name in [entra::LOGIN, entra::MANAGEMENT] {
        desk.host.name(name, azure.https());
    }
    let (tenant, client) = (
        format!("tenant={}", entra::TENANT),
        format!("client_id={CLIENT_ID}"),
    );
    let scope = "scope=https://management.azure.com/.default";
    let settings = [
        "azure",
        "--kind",
        "azure-entra",
        "--host",
        entra::MANAGEMENT,
    ];
    let settings = [
        &settings[..],
        &["--set", &tenant, "--set", &client, "--set", scope],
    ]
    .concat();
    desk.keep(&settings, CLIENT_SECRET);
    azure
}

#[test]
fn azure_says_who_while_neither_the_secret_nor_a_token_is_anywhere_inside() {
    let mut desk = Desk::new();
    let azure = azure(&mut desk);
    desk.host.profile("clouds", PROFILE);
    let asks = [
        ("tools/list", json!({})),
        call("azure_whoami", json!({})),
        call(
            "azure_list_resources",
            json!({ "subscription": "0000", "type": "Microsoft.Web/sites" }),
        ),
        call(
            "azure_list_resources",
            json!({ "subscription": "0000/../1111" }),
        ),
        call("azure_list_resources", json!({ "subscription": "1111" })),
    ];
    let answers = serve(&desk.host, "clouds", &cloud(), &asks);
    let tools = answers[0]["result"]["tools"].as_array().unwrap();
    assert!(
        tools
            .iter()
            .any(|it| it["name"] == "azure_whoami" && it["annotations"]["readOnlyHint"] == true),
        "{answers:?}"
    );
    let who = &answers[1]["result"]["structuredContent"];
    assert_eq!(who["tenants"][0]["domain"], entra::TENANT, "{who}");
    assert_eq!(who["subscriptions"][0]["id"], "0000", "{who}");
    let resources = &answers[2]["result"]["structuredContent"];
    assert_eq!(
        resources["resources"].as_array().map(Vec::len),
        Some(3),
        "two pages: {resources}"
    );
    assert_eq!(resources["isComplete"], true);
    assert!(
        resources.to_string().contains("shop") && !resources.to_string().contains("adminPassword"),
        "{resources}"
    );
    let (said, failed) = text(&answers[3]);
    assert!(failed && said.contains("subscription"), "{said}");
    let (said, failed) = text(&answers[4]);
    assert!(
        failed && said.contains("HTTP 403") && said.contains("ingfence"),
        "{said}"
    );
    assert!(
        azure.requests().iter().all(|it| !it.path.contains("1111")),
        "{:?}",
        azure.requests()
    );
    // Everything that came, and the variables of the server.
    let inside = desk.host.project().to_owned();
    assert!(inside.join("environment").exists());
    for secret in [CLIENT_SECRET, &entra::token(1)] {
        assert_eq!(
            places(&desk.host, secret, &[&inside]),
            Vec::<String>::new(),
            "{secret}"
        );
        assert!(!format!("{answers:?}").contains(secret));
    }
    assert!(
        azure.accepts(&entra::token(1)),
        "it was a real token that did the work"
    );
}

#[test]
fn aws_says_who_by_a_signature_that_is_made_outside_and_signs_nothing_else() {
    let mut desk = Desk::new();
    let sts = desk.api("sts.eu-central-1.amazonaws.com", |request: &ApiRequest| {
        let signed = request.header("authorization").unwrap_or_default();
        if !signed.starts_with("AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/") {
            let error = json!({ "Error": { "Code": "MissingAuthenticationToken", "Message": "no" } });
            return ApiResponse::json(403, &error);
        }
        let identity = json!({ "Account": "123456789012", "Arn": "arn:aws:iam::123456789012:user/robot", "UserId": "AIDA" });
        ApiResponse::json(200, &json!({ "GetCallerIdentityResponse": {
            "GetCallerIdentityResult": identity, "ResponseMetadata": { "RequestId": "1" } } }))
    });
    let kept = [
        "aws",
        "--kind",
        "aws-sigv4",
        "--host",
        "sts.eu-central-1.amazonaws.com",
        "--set",
        "access_key=AKIDEXAMPLE",
        "--set",
        "region=eu-central-1",
        "--set",
        "service=sts",
    ];
    desk.keep(&kept, AWS_SECRET);
    desk.host.profile("clouds", PROFILE);
    let asks = [
        call("aws_whoami", json!({ "region": "eu-central-1" })),
        call("aws_whoami", json!({ "region": "x.evil.test/" })),
        call("aws_whoami", json!({ "region": "us-west-2" })),
    ];
    let answers = serve(&desk.host, "clouds", &cloud(), &asks);
    let who = &answers[0]["result"]["structuredContent"];
    assert_eq!(
        who["principal"], "arn:aws:iam::123456789012:user/robot",
        "{answers:?}"
    );
    assert_eq!(who.as_object().unwrap().len(), 3, "{who}");
    assert!(text(&answers[1]).1 && text(&answers[2]).1, "{answers:?}");
    assert_eq!(sts.requests().len(), 1);
    desk.assert_not_inside(&[AWS_SECRET]);
}

/// The agent's own rules: of the server, one tool.
fn agents_rules(server: &str, tools: &str) -> String {
    format!(
        "apiVersion: ringfence/v1\nkind: Profile\nname: agent\nmcpServers:\n  - {{name: tools, profile: clouds, {server}}}\nmcp:\n  - allow: {{server: tools, tools: [{tools}]}}\n"
    )
}

#[test]
fn an_agent_learns_who_it_is_from_a_server_in_another_sandbox() {
    let mut desk = Desk::new();
    let azure = azure(&mut desk);
    desk.host.profile("clouds", PROFILE);
    let rules = agents_rules("builtin: cloud", "azure_whoami");
    desk.host.profile("agent", &rules);
    desk.host.file("agent.py", include_str!("../mcp/agent.py"));
    let ended = desk.host.run().profile("agent").python(
        r#"
from agent import *
c = connect("tools", timeout=60)
show([it["name"] for it in c.tools()])
show([c.tool("azure_whoami"), c.tool("azure_list_subscriptions")])
open("environment", "w").write(str(dict(os.environ)))
"#,
    );
    let mut shown = ended
        .stdout
        .lines()
        .filter_map(|it| it.strip_prefix("SHOWN "));
    let mut next = || serde_json::from_str::<Value>(shown.next().unwrap_or("null")).unwrap();
    assert_eq!(next(), json!(["azure_whoami"]), "{ended}");
    let answers = next();
    let who = &answers[0]["result"]["structuredContent"];
    assert_eq!(who["tenants"][0]["domain"], entra::TENANT, "{ended}");
    assert!(answers[1]["error"].is_object(), "{ended}");
    assert!(!azure.requests().is_empty());
    let inside = desk.host.project().to_owned();
    for secret in [CLIENT_SECRET, &entra::token(1)] {
        let found = places(&desk.host, secret, &[&inside]);
        assert_eq!(found, Vec::<String>::new(), "{secret}");
        assert!(!ended.stdout.contains(secret));
    }
}

#[test]
fn a_tool_that_tells_all_it_has_tells_an_agent_no_token() {
    let mut desk = Desk::new();
    azure(&mut desk);
    let tokens = "tokens:\n  - {env: [CLOUD_TOKEN], credentials: [azure]}\napi:";
    desk.host
        .profile("clouds", &PROFILE.replacen("api:", tokens, 1));
    let program = "apiVersion: ringfence/v1\nkind: Tools\ntools:\n  - {name: leak, description: Tells all., command: [env], environment: [CLOUD_TOKEN]}\n";
    let program = desk.host.home_file("leak.yaml", program);
    let server = format!("tools: \"{}\"", program.display());
    desk.host.profile("agent", &agents_rules(&server, "leak"));
    desk.host.file("agent.py", include_str!("../mcp/agent.py"));
    let ended = desk
        .host
        .run()
        .profile("agent")
        .python("from agent import *\nc = connect('tools', timeout=60)\nshow(c.tool('leak'))");
    assert!(ended.stdout.contains("<secret ringfence-token "), "{ended}");
    assert!(!ended.stdout.contains("rf_"), "{ended}");
    assert!(!ended.stdout.contains(CLIENT_SECRET), "{ended}");
}
