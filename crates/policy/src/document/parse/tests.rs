use std::fmt::Write as _;

use super::*;

const HEAD: &str = "apiVersion: ringfence/v1\nkind: Profile\nname: p\n";

fn refusal(yaml: &str) -> PolicyError {
    Profile::parse("policy.yaml", yaml).expect_err(yaml)
}

fn report(yaml: &str) -> String {
    let error = refusal(yaml);
    let meant = error.located.as_ref().map(|located| {
        yaml.get(located.span.clone())
            .expect("a span is inside the text")
    });
    let mut report = format!("{error}\n");
    if let Some(meant) = meant {
        writeln!(report, "  at   {meant:?}").unwrap();
    }
    if let Some(help) = &error.help {
        writeln!(report, "  help {help}").unwrap();
    }
    report
}

#[test]
fn every_mistake_is_named_with_its_place_and_a_way_out() {
    let rules = [
        "{host: a.test, ports: 443}",
        "{host: a.test, ports: [0]}",
        "{host: a.test, ports: [70000]}",
        "{host: a.test, ports: [https]}",
        "{host: a.test, ports: []}",
        "{host: a.test, methods: []}",
        "{host: a.test, paths: []}",
        "{host: a.test, addresses: []}",
        "{host: a.test, ports: }",
        "{host: a.test, methods: ~}",
        "{host: a.test, addresses: null}",
        "{host: ~}",
        "{host: a.test, methods: [get]}",
        "{host: a.test, methods: ['*']}",
        "{host: a.test, paths: [docs]}",
        "{host: a.test, paths: [/a/../b]}",
        "{host: a.test, paths: [/a**]}",
        "{host: a.test, protocol: udp}",
        "{host: a.test, protocol: tcp, methods: [GET]}",
        "{host: a.test, tunnel: true, methods: [GET]}",
        "{host: a.test, tunnel: true, protocol: http}",
        "{host: a.test, tunnel: yes}",
        "{host: a.test, expires: tomorrow}",
        "{host: a.test, id: 5}",
        "{host: a.test, host: b.test}",
        "{hots: a.test}",
        "{host: a.test, cidr: 10.0.0.0/8}",
        "{ports: [443]}",
        "{cidr: 10.0.0.0/8}",
        "{cidr: 10.0.0.1, ports: [1]}",
        "{cidr: 10.0.0.1/8, ports: [1]}",
        "{cidr: '::ffff:10.0.0.0/104', ports: [1]}",
        "{cidr: 0.0.0.0/0, ports: [1]}",
        "{cidr: 10.0.0.0/8, ports: [1], addresses: [10.0.0.0/8]}",
        "{host: a.test, addresses: [10.0.0.0/8, '::/0']}",
        "{host: host.ringfence.internal, addresses: [127.0.0.1/32]}",
        "{host: llm.ringfence.internal}",
        "{host: ringfence.internal}",
        "{host: '*.ringfence.internal'}",
        "{host: '*.com'}",
        "{host: '*.co.uk'}",
        "{host: '*.github.io'}",
        "{host: '*'}",
        "{host: *}",
        "{host: 'a*.test'}",
        "{host: 10.0.0.1}",
        "{host: \"a\\0.test\"}",
        "{host: 'https://a.test/'}",
        "{host: 'a.test:443'}",
        "{host: a.test, reason: \"\\e[31m\"}",
        "a.test",
    ];
    let mut reports = String::new();
    for rule in rules {
        let yaml = format!("{HEAD}network:\n  - allow: {rule}\n");
        writeln!(reports, "allow: {rule}\n{}", report(&yaml)).unwrap();
    }
    insta::assert_snapshot!(reports);
}

#[test]
fn every_mistake_of_an_api_rule_is_named_with_its_place_and_a_way_out() {
    let mut reports = String::new();
    for rule in [
        "allow: {}",
        "allow: {host: '*.com'}",
        "allow: {host: llm.ringfence.internal}",
        "allow: {host: a.test, cidr: 10.0.0.0/8}",
        "allow: {host: a.test, scheme: ftp}",
        "allow: {host: a.test, methods: []}",
        "allow: {host: a.test, paths: [/a/../b]}",
        "allow: {host: a.test, query: {}}",
        "allow: {host: a.test, query: {params: []}}",
        "allow: {host: a.test, query: {params: [{name: x, matches: []}]}}",
        "allow: {host: a.test, query: {params: [{name: x, matches: ['*']}]}}",
        "allow: {host: a.test, query: {params: [{name: x, match: [y]}]}}",
        "allow: {host: a.test, query: {others: none}}",
        "allow: {host: a.test, headers: {params: [{name: Accept}]}}",
        "allow: {host: a.test, headers: {params: []}}",
        "allow: {host: a.test, content: {}}",
        "allow: {host: a.test, content: {types: ['*/*']}}",
        "allow: {host: a.test, content: {octets: 1k}}",
        "allow: {host: a.test, content: {octets: -1}}",
        "allow: {host: a.test, content: {octets: 99999999, json: {}}}",
        "allow: {host: a.test, content: {json: true}}",
        "allow: {host: a.test, content: {json: {requierd: [a]}}}",
        "allow: {host: a.test, content: {json: {type: strnig}}}",
        "allow: {host: a.test, content: {json: {$ref: 'https://a.test/x.json'}}}",
        "allow: {host: a.test, graphql: {kinds: [read]}}",
        "allow: {host: a.test, graphql: {fields: []}}",
        "allow: {host: a.test, graphql: {fields: [viewer]}}",
        "allow: {host: a.test, graphql: {fields: [{name: x, arguments: {typ: object}}]}}",
        "allow: {host: a.test, response: {}}",
        "allow: {host: a.test, response: {statuses: [2xx]}}",
        "allow: {host: a.test, credential: 'Not A Name'}",
        "allow: {host: a.test, auth: replace}",
        "allow: {host: a.test, tokenRequired: true}",
        "allow: {host: a.test, credential: x, tokenFields: [/a]}",
        "allow: {host: a.test, credential: x, auth: placeholder, tokenFields: [a]}",
        "allow: {host: a.test, follow: broker}",
        "allow: {host: a.test, follow: {hosts: []}}",
        "allow: {host: a.test, follow: {hosts: [b.test, host.ringfence.internal]}}",
        "allow: {host: a.test, paths: ['/a', '/@a%2F*']}",
        "forbid: {host: a.test, paths: ['/@a%2Fb']}",
        "forbid: {host: a.test, scopedNames: true}",
        "allow: {host: a.test, scopedNames: true, paths: ['/a%2Fb']}",
        "allow: {host: a.test, response: {remove: []}}",
        "allow: {host: a.test, response: {remove: ['*?token']}}",
        "allow: {host: a.test, response: {notJson: [text/plain]}}",
        "allow: {host: a.test, access: admin}",
        "allow: {host: a.test, when: 'request.contnt.octets < 5'}",
        "allow: {host: a.test, when: 'request.path =='}",
        "allow: {host: a.test, when: 'request.path.matches(\"x\")'}",
        "allow: {host: a.test, when: 5}",
        "allow: {host: a.test, precondition: {}}",
        "allow: {host: a.test, precondition: {path: 'https://b.test/'}}",
        "allow: {host: a.test, precondition: {path: /, equal: [{request: /body/id, response: /id}]}}",
        "allow: {host: a.test, precondition: {path: /, equal: []}}",
        "allow: {host: a.test, addresses: [0.0.0.0/0]}",
        "allow: {host: host.ringfence.internal, addresses: [10.0.0.0/8]}",
        "forbid: {host: a.test, credential: x}",
        "forbid: {host: a.test, scheme: http}",
        "forbid: {host: a.test, query: {others: deny}}",
        "forbid: {host: a.test, content: {octets: 5}}",
        "forbid: {host: a.test, graphql: {depth: 5}}",
    ] {
        let yaml = format!("{HEAD}api:\n  - {rule}\n");
        writeln!(reports, "{rule}\n{}", report(&yaml)).unwrap();
    }
    insta::assert_snapshot!(reports);
}

#[test]
fn mistakes_about_tokens_and_variables_are_named_as_well() {
    let mut reports = String::new();
    for body in [
        "tokens: [{env: [GH_TOKEN]}]\n",
        "tokens: [{env: [], credentials: [x]}]\n",
        "tokens: [{env: [GH_TOKEN], credentials: []}]\n",
        "tokens: [{env: [GH-TOKEN], credentials: [x]}]\n",
        "tokens: [{env: [LD_PRELOAD], credentials: [x]}]\n",
        "tokens: [{env: [A, A], credentials: [x]}]\n",
        "tokens: [{env: [A], credentials: [x]}]\nenvironment: {A: b}\n",
        "environment: {PATH: /tmp}\n",
        "environment: {https_proxy: 'http://a.test'}\n",
        "environment: {A: [b]}\n",
        "environment: {A: \"\\0\"}\n",
        "environment: {1A: b}\n",
        "tests:\n  - allow: {http: {method: GET, url: 'https://a.test/', headers: {Accept: x}}}\n",
        "tests:\n  - allow: {http: {method: POST, url: 'https://a.test/', graphql: {kind: read, fields: []}}}\n",
    ] {
        let yaml = format!("{HEAD}{body}");
        writeln!(reports, "{body}{}", report(&yaml)).unwrap();
    }
    insta::assert_snapshot!(reports);
}

#[test]
fn a_profile_of_all_sections_survives_being_written_and_read_again() {
    let yaml = format!(
        "{HEAD}network:
  - allow: {{host: pinned.test, tunnel: true}}
api:
  - allow:
      id: read
      host: api.test
      methods: [GET]
      paths: [/repos/acme/web, '/repos/acme/web/**']
      query: {{params: [{{name: state, matches: [open, 'clo*'], required: true}}], others: deny}}
      headers: {{params: [{{name: accept, matches: ['application/*']}}]}}
      content: {{types: [application/json], octets: 65536, json: {{type: object, properties: {{'true': {{const: null}}, n: {{maximum: 1.5}}, 'a b': {{pattern: '^x$'}}}}}}}}
      graphql: {{kinds: [query], fields: [{{name: repository, arguments: {{required: [owner]}}}}, {{name: viewer}}], select: [id], depth: 12, size: 500}}
      response: {{statuses: ['200-299', '404'], types: [application/json], octets: 10485760}}
      credential: github
      auth: placeholder
      tokenRequired: true
      tokenFields: [/client_secret]
      follow: {{ hosts: ['*.files.test'] }}
      websocket: true
      access: read
      when: 'request.content.octets < 1000 && request.path != \"y\"'
      precondition: {{path: '/repos/acme/web?x=1', json: {{required: [id]}}, equal: [{{request: /graphql/x/id, response: /node_id}}]}}
      addresses: [10.0.0.0/8]
      expires: '2030-01-01T00:00:00Z'
      reason: 'quotes \" and: colons'
  - forbid: {{host: api.test, methods: [DELETE]}}
tokens:
  - {{env: [GH_TOKEN, GITHUB_TOKEN], credentials: [github]}}
environment: {{GH_PROMPT_DISABLED: '1'}}
tests:
  - deny: {{http: {{method: POST, url: 'https://api.test/', headers: {{accept: x}}, json: {{a: [1, null]}}, graphql: {{kind: mutation, fields: [{{name: x, arguments: {{y: 1}}}}], select: [id], depth: 3}}}}}}
"
    );
    let profile = Profile::parse("p.yaml", &yaml).unwrap().remove(0);
    let json = serde_json::to_string(&profile).unwrap();
    assert_eq!(&Profile::parse("json", &json).unwrap()[0], &profile);
    // Each rule as it is shown is the rule.
    for rule in &profile.api {
        let line = rule.to_line();
        let read = Profile::parse("line", &format!("{HEAD}api:\n  - {line}\n")).expect(&line);
        assert_eq!(&read[0].api, std::slice::from_ref(rule), "{line}");
    }
    assert_eq!(profile.tokens()[0].credentials[0].as_str(), "github");
    assert_eq!(
        profile.environment().collect::<Vec<_>>(),
        [("GH_PROMPT_DISABLED", "1")]
    );
}

#[test]
fn mistakes_in_the_frame_are_named_as_well() {
    let mut reports = String::new();
    for body in [
        "netwrok: []\n",
        "web: []\n",
        "llm:\n",
        "llm: {}\n",
        "llm:\n  - {provider: openai}\n",
        "llmProviders: {x: {kind: openai}}\n",
        "network:\n",
        "network: {}\n",
        "network: [\n",
        "network:\n\t- allow: {host: a.test}\n",
        "network:\n  - deny: {host: a.test}\n",
        "network:\n  - host: a.test\n",
        "network:\n  - allow: {host: a.test}\n    forbid: {host: b.test}\n",
        "network:\n  - !allow {host: a.test}\n",
        "network:\n  - allow: &x {host: a.test}\n  - allow: *x\n",
        "network:\n  - allow: {<<: {host: a.test}}\n",
        "network:\n  - forbid: {host: a.test, protocol: tls}\n",
        "network:\n  - forbid: {host: a.test, tunnel: true}\n",
        "network:\n  - forbid: {host: a.test, addresses: [10.0.0.0/8]}\n",
        "network:\n  - allow:\n      id: a\n      host: a.test\n  - allow:\n      id: a\n      host: b.test\n",
        "name: q\n",
        "tests:\n  - forbid: {connect: 'a.test:443'}\n",
        "tests:\n  - deny: {connect: a.test}\n",
        "tests:\n  - deny: {http: {method: GET, url: 'ftp://a.test/'}}\n",
        "tests:\n  - deny: {git: {repo: x}}\n",
        "description: [[[[[[[[[[[[[[[[[[[[x]]]]]]]]]]]]]]]]]]]]\n",
        "---\napiVersion: ringfence/v1\nkind: Profile\nname: p\n",
    ] {
        let yaml = format!("{HEAD}{body}");
        writeln!(reports, "{body}{}", report(&yaml)).unwrap();
    }
    for yaml in [
        "",
        "# nothing\n",
        "kind: Profile\nname: p\n",
        "apiVersion: ringfence/v1\nname: p\n",
        "apiVersion: ringfence/v1\nkind: Profile\n",
        "apiVersion: ringfence/v2\nkind: Profile\nname: p\n",
        "apiVersion: ringfence/v1\nkind: Profil\nname: p\n",
        "apiVersion: ringfence/v1\nkind: Profile\nname: P Q\n",
    ] {
        writeln!(reports, "{yaml}{}", report(yaml)).unwrap();
    }
    insta::assert_snapshot!(reports);
}

#[test]
fn one_source_may_hold_several_documents() {
    let yaml = format!(
        "# first\n{HEAD}---\n{}---\n",
        HEAD.replace("name: p", "name: q")
    );
    let profiles = Profile::parse("policy.yaml", &yaml).unwrap();
    let names: Vec<_> = profiles
        .iter()
        .map(|profile| profile.name.as_str())
        .collect();
    assert_eq!(names, ["p", "q"]);
}

#[test]
fn a_fault_in_a_later_document_is_located_there() {
    let second = HEAD.replace("name: p", "name: q");
    let yaml =
        format!("{HEAD}---\n{second}network:\n  - allow:\n      host: a.test\n      ports: []\n");
    assert_eq!(refusal(&yaml).line(), Some(11));
    assert_eq!(refusal(&yaml).column(), Some(14));
}

#[test]
fn a_source_is_bounded_before_it_is_parsed() {
    let yaml = "#".repeat(SOURCE_OCTETS + 1);
    assert_eq!(
        refusal(&yaml).message,
        "a policy source has at most 8388608 octets"
    );
}

#[test]
fn storms_of_documents_and_of_nesting_are_refused() {
    let documents = "---\n{}\n".repeat(DOCUMENTS + 1);
    refusal(&documents);
    refusal(&format!("{HEAD}tests: {}", "[".repeat(100_000)));
    refusal(&format!("{HEAD}tests: {}", "{a: ".repeat(100_000)));
    refusal(&format!("{HEAD}tests:\n{}", "- ".repeat(100_000)));
}

#[test]
fn a_rule_may_be_one_long_line() {
    let paths: Vec<_> = (0..500).map(|n| format!("/some/path/{n}/**")).collect();
    let paths = paths.join(", ");
    let yaml = format!("{HEAD}network:\n  - allow: {{host: a.test, paths: [{paths}]}}\n");
    let profile = &Profile::parse("p", &yaml).unwrap()[0];
    assert_eq!(
        profile.network[0].terms().paths.as_ref().unwrap().len(),
        500
    );
}

#[test]
fn a_profile_survives_being_written_as_json_and_read_again() {
    for name in Profile::builtin_names() {
        let profile = Profile::builtin(name).unwrap();
        let json = serde_json::to_string(&profile).unwrap();
        assert_eq!(serde_json::from_str::<Profile>(&json).unwrap(), profile);
        // JSON is YAML, so the stored form is a document as well.
        assert_eq!(Profile::parse("json", &json).unwrap(), [profile]);
    }
}

proptest::proptest! {
    #[test]
    fn no_text_makes_parsing_panic(text in "\\PC*") {
        let _ = Profile::parse("fuzz", &text);
    }

    #[test]
    fn no_mix_of_the_language_makes_parsing_panic(
        parts in proptest::collection::vec(
            proptest::sample::select(vec![
                "apiVersion: ringfence/v1", "kind: Profile", "name: p", "network:", "tests:",
                "\n", "\n  - ", "allow: ", "forbid: ", "{", "}", "[", "]", ", ", "host: ", "a.test",
                "'*.a.test'", "cidr: ", "10.0.0.0/8", "ports: ", "443", "paths: ", "/a/**", "---",
                "\n...\n", "&a ", "*a", "<<: ", "!x ", "|", "> ", "\"", "'", "#", "%YAML 1.2", "\t", "\u{feff}",
            ]),
            0..60,
        )
    ) {
        let text: String = parts.concat();
        let parsed = Profile::parse("fuzz", &format!("{HEAD}{text}"));
        if let Err(PolicyError { located: Some(located), .. }) = &parsed {
            let whole = format!("{HEAD}{text}");
            proptest::prop_assert!(located.span.end <= whole.len());
        }
    }
}
