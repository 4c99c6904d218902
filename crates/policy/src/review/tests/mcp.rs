//! The same for MCP rules.

use super::*;
use crate::document::ProfileRule;

const MCP: &str = "mcpServers:
  - {name: desk, url: 'https://mcp.desk.test/mcp', credential: desk-key}
  - {name: corp, url: 'https://mcp.corp.test/mcp', addresses: [10.0.0.0/8]}
mcp:
  - allow: {id: use, server: desk, tools: [query, 'describe_*', {name: create_issue, arguments: {type: object, properties: {repo: {const: acme/web}}, required: [repo]}, access: write}], resources: ['file:///docs/**'], prompts: [greet]}
  - allow: {id: old, server: corp, tools: [a], expires: '2020-01-01T00:00:00Z'}
  - forbid: {id: no-delete, server: desk, tools: ['delete_*'], reason: a person deletes}
tests:
  - allow: {mcp: {server: desk}}
  - allow: {mcp: {server: desk, tool: query}}
  - allow: {mcp: {server: desk, tool: describe_x, arguments: {a: 1}}}
  - allow: {mcp: {server: desk, tool: create_issue, arguments: {repo: acme/web}}}
  - deny: {mcp: {server: desk, tool: create_issue, arguments: {repo: acme/other}}}
  - deny: {mcp: {server: desk, tool: create_issue}}
  - deny: {mcp: {server: desk, tool: delete_account}}
  - deny: {mcp: {server: desk, tool: other}}
  - deny: {mcp: {server: desk, tool: 'star*'}}
  - allow: {mcp: {server: desk, resource: 'file:///docs/a/b'}}
  - deny: {mcp: {server: desk, resource: 'file:///etc/passwd'}}
  - allow: {mcp: {server: desk, prompt: greet}}
  - deny: {mcp: {server: desk, prompt: other}}
  - deny: {mcp: {server: corp, tool: a}}
  - allow: {connect: 'mcp.ringfence.internal:80'}
  - deny: {http: {method: POST, url: 'https://mcp.desk.test/mcp'}}
";

fn mcp_actions() -> Vec<Action> {
    let profile = &profiles(MCP)[0];
    let tests = profile.tests.iter();
    tests
        .map(|test| test.tried().action_in(profile).unwrap())
        .collect()
}

#[test]
fn mcp_rules_are_tested_explained_and_suggested() {
    let outcomes = run_tests(&profiles(MCP), now()).unwrap();
    let failed: Vec<_> = outcomes
        .iter()
        .filter(|it| !it.passed)
        .map(ToString::to_string)
        .collect();
    assert_eq!(failed, Vec::<String>::new());
    assert_eq!(outcomes.len(), 16);
    let snapshot = Snapshot::compile(Generation(7), &profiles(MCP)).unwrap();
    assert_eq!(snapshot.rule_count(), 3);
    let report: Vec<_> = mcp_actions()
        .iter()
        .map(|action| {
            let suggested = snapshot.suggest(action, now());
            let suggested = suggested.map_or_else(|| "nothing".to_owned(), |rule| rule.to_line());
            format!(
                "{action}\n{}suggested: {suggested}\n",
                snapshot.explain(action, now())
            )
        })
        .collect();
    insta::assert_snapshot!(report.join("\n"));
}

#[test]
fn a_suggested_mcp_rule_allows_what_was_denied() {
    let snapshot = Snapshot::compile(Generation(7), &profiles(MCP)).unwrap();
    let mut count = 0;
    for action in mcp_actions() {
        let Some(ProfileRule::Mcp(rule)) = snapshot.suggest(&action, now()) else {
            continue;
        };
        count += 1;
        let more = MCP.replace("tests:", &format!("  - {}\ntests:", rule.to_line()));
        let again = Snapshot::compile(Generation(8), &profiles(&more)).unwrap();
        let decision = again.decide(&action, now()).decision;
        assert!(decision.is_allow(), "{more}{}", decision.reason);
        assert!(!snapshot.decide(&action, now()).decision.is_allow());
    }
    assert_eq!(count, 6);
}

#[test]
fn changes_of_mcp_rules_and_servers_are_differences() {
    let after = MCP
        .replace("10.0.0.0/8", "10.1.0.0/16")
        .replace("prompts: [greet]", "prompts: ['*']")
        .replace(
            "  - allow: {id: old, server: corp, tools: [a], expires: '2020-01-01T00:00:00Z'}\n",
            "",
        );
    let after = after.split("tests:").next().unwrap();
    let found = diff(&profiles(MCP), &profiles(after), &mcp_actions(), now()).unwrap();
    insta::assert_snapshot!(found);
}

#[test]
fn an_mcp_rule_on_one_line_reads_back_as_itself() {
    let full = "mcpServers:
  - {name: desk, url: 'https://mcp.desk.test/mcp'}
mcp:
  - allow: {id: full, server: desk, tools: ['*', {name: 'on', arguments: {type: object}, access: read}], resources: ['**', 'a://{b,c}/*'], prompts: [], features: [tasks, roots], elicitationHosts: ['*.a.test'], pin: review, recheck: 10m, secrets: observe, capture: true, rate: {requests: 1, per: second}, credential: k, tokenRequired: true, reason: 'a: b', expires: '2030-01-31T12:00:00Z'}
  - forbid: {server: desk, tools: [x], features: [sampling]}
";
    for text in [MCP, full] {
        for profile in profiles(text) {
            let mut yaml = "mcpServers:\n".to_owned();
            for terms in &profile.mcp_servers {
                yaml.push_str(&format!("  - {}\n", terms.to_line()));
            }
            yaml.push_str("mcp:\n");
            for rule in &profile.mcp {
                yaml.push_str(&format!("  - {}\n", rule.to_line()));
            }
            let again = &profiles(&yaml)[0];
            assert_eq!(again.mcp, profile.mcp, "{yaml}");
            assert_eq!(again.mcp_servers, profile.mcp_servers);
            let json = serde_json::to_string(&profile).unwrap();
            assert_eq!(serde_json::from_str::<Profile>(&json).unwrap(), profile);
        }
    }
}
