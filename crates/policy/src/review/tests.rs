mod git;
mod llm;
mod mcp;

use jiff::Timestamp;
use ringfence_model::{Action, Effect, Generation};

use super::*;
use crate::compile::Snapshot;
use crate::document::{Profile, TestAction};

fn profiles(body: &str) -> Vec<Profile> {
    let yaml = format!("apiVersion: ringfence/v1\nkind: Profile\nname: p\n{body}");
    Profile::parse("p.yaml", &yaml).unwrap()
}

fn snapshot(rules: &str) -> Snapshot {
    let body = format!("network:\n{rules}");
    Snapshot::compile(Generation(7), &profiles(&body)).unwrap()
}

fn action(text: &str) -> Action {
    text.parse::<TestAction>().unwrap().action()
}

fn now() -> Timestamp {
    "2026-06-01T00:00:00Z".parse().unwrap()
}

#[test]
fn an_explanation_goes_through_every_rule_about_the_destination() {
    let snapshot = snapshot(
        "  - allow: {id: web, host: a.test}
  - allow: {id: api, host: a.test, methods: [GET], paths: [/v1/**]}
  - allow: {id: any, host: '*.a.test', ports: [8080]}
  - allow: {id: gone, host: a.test, expires: '2020-01-01T00:00:00Z'}
  - forbid: {id: no-admin, host: a.test, paths: [/admin/**]}
  - forbid: {id: no-ssh, host: a.test, ports: [22]}
  - allow: {id: other, host: b.test}
",
    );
    let texts = [
        "a.test:443",
        "POST http://a.test/admin/x",
        "GET http://a.test/v1/x",
        "x.a.test:443",
        "10.0.0.1:1",
    ];
    let report: Vec<_> = texts
        .iter()
        .map(|text| format!("{text}\n{}", snapshot.explain(&action(text), now())))
        .collect();
    insta::assert_snapshot!(report.join("\n"));
}

#[test]
fn an_explanation_is_data_as_well() {
    let snapshot = snapshot("  - allow: {id: web, host: a.test}\n");
    let explanation = snapshot.explain(&action("a.test:22"), now());
    let json = serde_json::to_value(&explanation).unwrap();
    assert_eq!(json["considered"][0]["rule"], "p/network/web");
    assert_eq!(json["considered"][0]["matches"], false);
    assert_eq!(
        serde_json::from_value::<Explanation>(json).unwrap(),
        explanation
    );
}

#[test]
fn a_suggestion_is_the_narrowest_rule() {
    let snapshot = snapshot(
        "  - allow: {host: api.test, methods: [GET], paths: [/v1/**]}
  - allow: {host: old.test, methods: [GET], expires: '2020-01-01T00:00:00Z'}
  - allow: {host: web.test}
  - forbid: {host: evil.test}
  - forbid: {host: half.test, methods: [POST]}
",
    );
    for (text, line) in [
        (
            "new.test:443",
            Some(r#"allow: {host: "new.test", ports: [443]}"#),
        ),
        (
            "web.test:22",
            Some(r#"allow: {host: "web.test", ports: [22]}"#),
        ),
        (
            "GET http://new.test/x",
            Some(r#"allow: {host: "new.test", ports: [80]}"#),
        ),
        (
            "10.0.0.1:5432",
            Some(r#"allow: {cidr: "10.0.0.1/32", ports: [5432]}"#),
        ),
        (
            "[2001:db8::1]:22",
            Some(r#"allow: {cidr: "2001:db8::1/128", ports: [22]}"#),
        ),
        (
            "POST http://api.test/v1/x",
            Some(r#"allow: {host: "api.test", ports: [80], methods: ["POST"], paths: ["/v1/x"]}"#),
        ),
        (
            "GET http://api.test/v2/*",
            Some(r#"allow: {host: "api.test", ports: [80], methods: ["GET"], paths: ["/v2/%2A"]}"#),
        ),
        (
            "GET http://old.test/x",
            Some(r#"allow: {host: "old.test", ports: [80], methods: ["GET"], paths: ["/x"]}"#),
        ),
        (
            "half.test:80",
            Some(r#"allow: {host: "half.test", ports: [80]}"#),
        ),
        (
            "half.test:443",
            Some(r#"allow: {host: "half.test", ports: [443]}"#),
        ),
        // An allow would not help, is not possible, or is there already.
        ("evil.test:443", None),
        ("api.test:443", None),
        ("llm.ringfence.internal:80", None),
        ("web.test:443", None),
    ] {
        let suggested = snapshot
            .suggest(&action(text), now())
            .map(|rule| rule.to_line());
        assert_eq!(suggested.as_deref(), line, "{text}");
    }
}

#[test]
fn tests_of_a_profile_pass_or_say_what_is_decided_instead() {
    let profiles = profiles(
        "network:
  - allow: {host: a.test}
tests:
  - allow: {connect: 'a.test:443'}
  - deny: {connect: 'b.test:443'}
  - deny: {connect: 'a.test:80'}
  - allow: {http: {method: GET, url: 'http://b.test/x'}}
",
    );
    let outcomes = run_tests(&profiles, now()).unwrap();
    let report: Vec<_> = outcomes.iter().map(ToString::to_string).collect();
    insta::assert_snapshot!(report.join("\n"), @r"
    ok p/tests/1: allow connect a.test:443
    ok p/tests/2: deny connect b.test:443
    FAILED p/tests/3: deny connect a.test:80, but the decision is allow (allowed): rule p/network/1 allows a.test:80
    FAILED p/tests/4: allow GET http://b.test:80/x, but the decision is deny (no-rule): no rule allows b.test
    ");
}

#[test]
fn tests_see_their_own_profile_alone() {
    let mut both = profiles("tests:\n  - deny: {connect: 'a.test:443'}\n");
    both.push(Profile::new(
        "q".parse().unwrap(),
        vec![Profile::from_allow("a.test").unwrap()],
    ));
    assert!(
        run_tests(&both, now())
            .unwrap()
            .iter()
            .all(|outcome| outcome.passed)
    );
}

#[test]
fn a_diff_pairs_rules_by_id_or_destination_and_ignores_moves() {
    let before = profiles(
        "network:
  - allow: {host: same.test}
  - allow: {host: moved.test}
  - allow: {id: named, host: a.test}
  - allow: {host: ports.test, ports: [443]}
  - allow: {host: gone.test}
  - forbid: {host: flip.test}
",
    );
    let after = profiles(
        "network:
  - allow: {host: moved.test}
  - allow: {host: same.test}
  - allow: {id: named, host: b.test}
  - allow: {host: ports.test, ports: [443, 8443]}
  - allow: {host: flip.test}
  - allow: {host: new.test}
",
    );
    let samples: Vec<_> = [
        "same.test:443",
        "gone.test:443",
        "new.test:443",
        "flip.test:443",
    ]
    .map(action)
    .into();
    let diff = diff(&before, &after, &samples, now()).unwrap();
    insta::assert_snapshot!(diff.to_string());
    let json = serde_json::to_string(&diff).unwrap();
    assert_eq!(serde_json::from_str::<PolicyDiff>(&json).unwrap(), diff);
}

fn named(name: &str, rules: &str) -> Profile {
    let yaml = format!("apiVersion: ringfence/v1\nkind: Profile\nname: {name}\nnetwork:\n{rules}");
    Profile::parse("p.yaml", &yaml).unwrap().remove(0)
}

const BUILD: &str = "  - allow: {id: docs, host: docs.test}
  - allow: {host: same.test}
  - allow: {id: wiki, host: wiki.test, ports: [443]}
  - allow: {id: old, host: renamed.test}
";

const NEW: &str = "  - allow: {id: docs, host: docs.test}
  - allow: {id: wiki, host: wiki.test, ports: [443, 8443]}
  - allow: {host: same.test}
  - allow: {id: new, host: renamed.test}
";

#[test]
fn a_diff_of_one_profile_with_another_shows_only_what_differs() {
    let (before, after) = (named("build", BUILD), named("new", NEW));
    let diff = diff(std::slice::from_ref(&before), &[after], &[], now()).unwrap();
    insta::assert_snapshot!(diff.to_string(), @r#"
    ~ new/network/wiki: allow: {id: "wiki", host: "wiki.test", ports: [443]}
      now: allow: {id: "wiki", host: "wiki.test", ports: [443, 8443]}
    ~ new/network/new: allow: {id: "old", host: "renamed.test"}
      now: allow: {id: "new", host: "renamed.test"}
    "#);
    let renamed = named("other", BUILD);
    let same = super::diff(&[before], &[renamed], &[], now()).unwrap();
    assert_eq!(same, PolicyDiff::default());
}

#[test]
fn a_diff_of_sets_pairs_profiles_by_name_and_the_others_by_their_place() {
    let one = "  - allow: {host: one.test}\n";
    let two = "  - allow: {host: two.test}\n";
    let before = [named("a", one), named("both", two), named("b", BUILD)];
    let after = [named("both", two), named("x", one), named("y", BUILD)];
    let compare = |after: &[Profile]| diff(&before, after, &[], now()).unwrap();
    assert_eq!(compare(&after), PolicyDiff::default());
    // With another number of profiles, nothing says which one was renamed.
    let fewer = compare(&after[..2]);
    assert_eq!((fewer.removed.len(), fewer.added.len()), (5, 1));
    assert!(fewer.changed.is_empty());
}

#[test]
fn equal_policies_do_not_differ() {
    let all: Vec<_> = Profile::builtin_names()
        .iter()
        .filter_map(|name| Profile::builtin(name))
        .collect();
    assert_eq!(diff(&all, &all, &[], now()).unwrap(), PolicyDiff::default());
}

#[test]
fn a_simulation_counts_what_would_change() {
    let candidate = snapshot("  - allow: {host: a.test}\n");
    let observed = |text: &str, effect, count| Observed {
        action: action(text),
        effect,
        count,
    };
    let simulation = simulate(
        &candidate,
        &[
            observed("a.test:443", Effect::Deny, 3),
            observed("a.test:80", Effect::Allow, 5),
            observed("b.test:443", Effect::Allow, 7),
            observed("c.test:443", Effect::Deny, u64::MAX),
        ],
        now(),
    );
    assert_eq!(simulation.unchanged, u64::MAX, "counts do not wrap");
    insta::assert_snapshot!(simulation.to_string());
}

fn with_api(network: &str, api: &str) -> Snapshot {
    let body = format!("network:\n{network}api:\n{api}");
    Snapshot::compile(Generation(7), &profiles(&body)).unwrap()
}

#[test]
fn a_suggestion_for_a_request_to_an_api_has_the_credential_of_the_others() {
    let snapshot = with_api(
        "  - allow: {host: both.test}
  - allow: {host: limited.test, methods: [GET]}
  - allow: {host: pinned.test, tunnel: true}
",
        "  - allow: {host: one.test, methods: [GET], credential: github}
  - allow: {host: one.test, paths: [/x], credential: github}
  - allow: {host: two.test, methods: [GET], credential: a}
  - allow: {host: two.test, methods: [PUT], credential: b}
  - allow: {host: both.test, methods: [GET], credential: github}
  - allow: {host: plain.test, scheme: http, methods: [GET]}
  - allow: {host: query.test, credential: c, query: {others: deny}}
  - allow: {host: old.test, credential: c, expires: '2020-01-01T00:00:00Z'}
  - forbid: {host: one.test, methods: [DELETE]}
",
    );
    for (text, line) in [
        (
            "POST https://one.test/repos/x",
            Some(
                r#"api allow: {host: "one.test", ports: [443], methods: ["POST"], paths: ["/repos/x"], credential: "github"}"#,
            ),
        ),
        (
            "POST https://two.test/x",
            Some(
                r#"api allow: {host: "two.test", ports: [443], methods: ["POST"], paths: ["/x"]}"#,
            ),
        ),
        (
            "POST http://plain.test/x",
            Some(
                r#"api allow: {host: "plain.test", scheme: "http", ports: [80], methods: ["POST"], paths: ["/x"]}"#,
            ),
        ),
        (
            "GET https://query.test/x?y=1",
            Some(
                r#"api allow: {host: "query.test", ports: [443], methods: ["GET"], paths: ["/x"], credential: "c"}"#,
            ),
        ),
        (
            "GET https://old.test/x",
            Some(
                r#"api allow: {host: "old.test", ports: [443], methods: ["GET"], paths: ["/x"], credential: "c"}"#,
            ),
        ),
        (
            "POST https://limited.test/x",
            Some(
                r#"network allow: {host: "limited.test", ports: [443], methods: ["POST"], paths: ["/x"]}"#,
            ),
        ),
        // An allow would not help, or is there.
        ("DELETE https://one.test/x", None),
        ("POST https://both.test/x", None),
        ("POST https://pinned.test/x", None),
    ] {
        let suggested = snapshot.suggest(&action(text), now());
        let shown = suggested.map(|rule| format!("{} {}", rule.section(), rule.to_line()));
        assert_eq!(shown.as_deref(), line, "{text}");
    }
}

#[test]
fn what_the_record_does_not_hold_denies_and_says_so() {
    let candidate = with_api(
        "  - allow: {host: forbidden.test}\n",
        "  - allow: {host: headers.test, headers: {params: [{name: x-admin, matches: [never]}]}}
  - allow: {host: body.test, content: {json: {}}}
  - allow: {host: when.test, when: '!has(request.headers.x)'}
  - allow: {host: graphql.test, graphql: {fields: [{name: viewer}]}}
  - allow: {host: query.test, query: {params: [{name: x, matches: ['1']}]}}
  - forbid: {host: forbidden.test, headers: {params: [{name: x-admin}]}}
",
    );
    let json = r#"{method: POST, url: "https://body.test/", json: {a: 1}}"#;
    let graphql = r#"{method: POST, url: "https://graphql.test/", graphql: {kind: query, fields: [{name: viewer}]}}"#;
    let texts = [
        "GET https://headers.test/",
        "GET https://when.test/",
        "GET https://query.test/?x=1",
        "GET https://query.test/?x=2",
        "GET https://forbidden.test/",
    ];
    let tests = [json, graphql].map(|test| {
        let profile = profiles(&format!("tests:\n  - allow: {{http: {test}}}\n"));
        profile[0].tests[0].tried().action()
    });
    let observed: Vec<_> = texts
        .map(action)
        .into_iter()
        .chain(tests)
        // As it comes out of the record.
        .map(|action| serde_json::from_value(serde_json::to_value(action).unwrap()).unwrap())
        .map(|action| Observed {
            action,
            effect: Effect::Allow,
            count: 1,
        })
        .collect();
    insta::assert_snapshot!(simulate(&candidate, &observed, now()).to_string());
}

#[test]
fn rules_of_the_api_section_are_explained_and_compared_as_well() {
    let rules = "  - allow: {id: read, host: a.test, methods: [GET], credential: github}
  - allow: {host: a.test, paths: [/x], query: {others: deny}}
  - forbid: {id: no-deletes, host: a.test, methods: [DELETE]}
";
    let snapshot = with_api(
        "  - allow: {host: a.test, tunnel: true, ports: [8443]}\n",
        rules,
    );
    let texts = [
        "a.test:443",
        "GET https://a.test/x?y",
        "DELETE https://a.test/x",
        "PUT https://a.test/x?y",
    ];
    let report: Vec<_> = texts
        .iter()
        .map(|text| format!("{text}\n{}", snapshot.explain(&action(text), now())))
        .collect();
    let before = profiles(&format!("api:\n{rules}"));
    let after = profiles(
        "network:
  - allow: {id: read, host: a.test}
api:
  - allow: {id: read, host: a.test, methods: [GET, HEAD], credential: github}
  - allow: {host: b.test}
  - forbid: {id: no-deletes, host: a.test, methods: [DELETE]}
",
    );
    let samples = ["HEAD https://a.test/", "b.test:443"].map(action);
    let diff = diff(&before, &after, &samples, now()).unwrap();
    insta::assert_snapshot!(format!("{}\n{diff}", report.join("\n")));
    let json = serde_json::to_string(&diff).unwrap();
    assert_eq!(serde_json::from_str::<PolicyDiff>(&json).unwrap(), diff);
}
