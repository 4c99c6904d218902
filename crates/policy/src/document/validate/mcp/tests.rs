use super::*;
use crate::PolicyError;

const HEAD: &str = "apiVersion: ringfence/v1\nkind: Profile\nname: p\n";
const SERVER: &str = "mcpServers: [{name: desk, url: 'https://mcp.desk.test/mcp'}]";

fn refusal(body: &str) -> PolicyError {
    match Profile::parse("p.yaml", &format!("{HEAD}{body}\n")) {
        Ok(_) => panic!("{body} was taken"),
        Err(error) => error,
    }
}

fn is_taken(body: &str) -> bool {
    Profile::parse("p.yaml", &format!("{HEAD}{body}\n")).is_ok()
}

#[test]
fn every_mistake_of_a_rule_is_named_with_a_way_out() {
    let mut reports = Vec::new();
    for rule in [
        "allow: {}",
        "allow: {server: nowhere}",
        "allow: {server: 'desk*'}",
        "allow: {server: Desk}",
        "allow: {server: desk, tools: query}",
        "allow: {server: desk, tools: null}",
        "allow: {server: desk, tools: [{arguments: {}}]}",
        "allow: {server: desk, tools: [{name: a, argument: {}}]}",
        "allow: {server: desk, tools: [{name: a, arguments: true}]}",
        "allow: {server: desk, tools: [{name: a, arguments: {requierd: [x]}}]}",
        "allow: {server: desk, tools: [{name: a, arguments: {type: strnig}}]}",
        "allow: {server: desk, tools: [{name: a, arguments: {$ref: 'https://a.test/x.json'}}]}",
        "allow: {server: desk, tools: [{name: a, access: both}]}",
        "allow: {server: desk, resources: ['*']}",
        "allow: {server: desk, resources: [docs/x]}",
        "allow: {server: desk, features: [everything]}",
        "allow: {server: desk, elicitationHosts: ['https://a.test']}",
        "allow: {server: desk, elicitationHosts: []}",
        "allow: {server: desk, pin: never}",
        "allow: {server: desk, recheck: 2h}",
        "allow: {server: desk, secrets: drop}",
        "allow: {server: desk, rate: {requests: 0, per: minute}}",
        "allow: {server: desk, rate: {requests: 1, per: week}}",
        "allow: {server: desk, tokenRequired: true}",
        "allow: {server: desk, approval: required, prompts: [a]}",
        "allow: {server: desk, tools: [{name: a, approval: asked}]}",
        "allow: {server: desk, tool: [a]}",
        "forbid: {server: desk, tools: []}",
        "forbid: {server: desk, prompts: []}",
        "forbid: {server: desk, pin: off}",
        "forbid: {server: desk, credential: k}",
        "forbid: {server: desk, capture: true}",
        "forbid: {server: desk, elicitationHosts: [a.test]}",
        "forbid: {server: desk, tools: [{name: a, access: read}]}",
        "forbid: {server: desk, approval: required}",
        "forbid: {server: desk, tools: [{name: a, approval: required}]}",
        "deny: {server: desk}",
    ] {
        let error = refusal(&format!("{SERVER}\nmcp:\n  - {rule}"));
        let help = error.help.clone().unwrap_or_default();
        let report = format!("{rule}\n  {error}\n  help {help}");
        reports.push(report);
    }
    insta::assert_snapshot!(reports.join("\n"));
}

#[test]
fn servers_are_described_once_and_have_a_place() {
    for (fields, part) in [
        ("name: a", "neither elsewhere nor started"),
        ("url: 'https://a.test/mcp'", "`name` is missing"),
        ("name: A, url: 'https://a.test/mcp'", "lower-case"),
        ("name: a, url: a.test/mcp", ""),
        ("name: a, url: 'ftp://a.test/mcp'", ""),
        ("name: a, url: 'https://u:p@a.test/mcp'", ""),
        ("name: a, url: 'https://a.test/mcp?x=y'", ""),
        ("name: a, url: 'https://a.test/x/../mcp'", ""),
        ("name: a, url: 'https://10.0.0.1/mcp'", "a host name"),
        ("name: a, url: 'https://mcp.ringfence.internal/a'", ""),
        (
            "name: a, url: 'https://a.test/mcp', addresses: []",
            "`addresses` is an empty list",
        ),
        (
            "name: a, url: 'https://a.test/mcp', addresses: [0.0.0.0/0]",
            "every address",
        ),
        (
            "name: a, url: 'http://host.ringfence.internal:9/mcp', addresses: [127.0.0.1/32]",
            "loopback",
        ),
        (
            "name: desk, url: 'https://b.test/mcp'",
            "already a server `desk`",
        ),
        (
            "name: b, url: 'https://mcp.desk.test/mcp'",
            "the server `desk` already",
        ),
        (
            "name: b, url: 'https://MCP.desk.test:443/MCP'",
            "the server `desk` already",
        ),
    ] {
        let body = SERVER.replace("}]", &format!("}}, {{{fields}}}]"));
        let error = refusal(&body).to_string();
        assert!(error.contains(part), "{fields}: {error}");
    }
    for fields in [
        "name: b, url: 'https://mcp.desk.test/mcp2'",
        "name: b, url: 'https://mcp.desk.test:8443/mcp'",
        "name: b, url: 'http://host.ringfence.internal:9/mcp'",
        "name: b, url: 'https://b.test', addresses: [10.0.0.0/8], credential: k",
    ] {
        let body = SERVER.replace("}]", &format!("}}, {{{fields}}}]"));
        assert!(is_taken(&body), "{fields}");
    }
}

#[test]
fn profiles_of_one_run_describe_a_server_alike() {
    let profile = |name: &str, fields: &str| {
        let yaml = format!(
            "apiVersion: ringfence/v1\nkind: Profile\nname: {name}\nmcpServers: [{{{fields}}}]\n"
        );
        Profile::parse("p.yaml", &yaml).unwrap().swap_remove(0)
    };
    let one = profile("one", "name: desk, url: 'https://a.test/mcp'");
    for (fields, part) in [
        ("name: desk, url: 'https://b.test/mcp'", Some("otherwise")),
        (
            "name: desk, url: 'https://a.test/mcp', credential: k",
            Some("otherwise"),
        ),
        (
            "name: help, url: 'https://a.test/MCP'",
            Some("calls this server `desk`"),
        ),
        ("name: desk, url: 'https://a.test/mcp'", None),
        ("name: help, url: 'https://a.test/other'", None),
    ] {
        let fault = check_server_set(&[one.clone(), profile("two", fields)]);
        let said = fault.err().map(|fault| fault.message);
        match part {
            Some(part) => assert!(
                said.as_ref().is_some_and(|it| it.contains(part)),
                "{fields} {said:?}"
            ),
            None => assert_eq!(said, None, "{fields}"),
        }
    }
}

#[test]
fn tests_name_a_server_and_one_thing_of_it() {
    for (test, part) in [
        ("{server: nowhere}", "no such server"),
        ("{server: desk, tool: a, prompt: b}", "one of `tool`"),
        (
            "{server: desk, resource: 'a:b', arguments: {}}",
            "one of `tool`",
        ),
        ("{server: desk, tools: [a]}", "unknown field `tools`"),
        ("{tool: a}", "`server` is missing"),
    ] {
        let error = refusal(&format!("{SERVER}\ntests: [{{allow: {{mcp: {test}}}}}]")).to_string();
        assert!(error.contains(part), "{test}: {error}");
    }
}

#[test]
fn the_gateways_own_server_is_named_without_a_description_and_described_by_nobody() {
    let own = "mcp: [{allow: {server: ringfence, tools: [ringfence_why_denied]}}]";
    let test = "tests: [{allow: {mcp: {server: ringfence, tool: ringfence_why_denied}}}]";
    assert!(is_taken(own));
    assert!(is_taken(&format!("{own}\n{test}")));
    for (body, part) in [
        (
            "mcpServers: [{name: ringfence, url: 'https://evil.test/mcp'}]",
            "the gateway's own server",
        ),
        (
            "mcp: [{allow: {server: ringfence, tools: [a], credential: k}}]",
            "takes no credential",
        ),
        (
            "mcp: [{allow: {server: ringfence, tools: [a], tokenRequired: true}}]",
            "the rule has none",
        ),
    ] {
        let error = refusal(body).to_string();
        assert!(error.contains(part), "{body}: {error}");
    }
}
