use super::*;

const HEAD: &str = "apiVersion: ringfence/v1\nkind: Profile\nname: p\n";

fn appended(body: &str) -> Result<String, PolicyError> {
    let rule = Profile::from_allow("new.test:443").unwrap();
    append_rule(&format!("{HEAD}{body}"), "p", &rule)
        .map(|text| text.strip_prefix(HEAD).unwrap().to_owned())
}

#[test]
fn a_rule_goes_to_the_end_of_the_list_and_all_else_stays() {
    let new = r#"allow: {host: "new.test", ports: [443]}"#;
    for (before, after) in [
        ("", format!("network:\n  - {new}\n")),
        (
            "# Rules.\nnetwork:\n  # One.\n  - allow: {host: a.test} # here\n  # The end.\n\ntests: []\n",
            format!(
                "# Rules.\nnetwork:\n  # One.\n  - allow: {{host: a.test}} # here\n  - {new}\n  # The end.\n\ntests: []\n"
            ),
        ),
        (
            "network:\n- allow:\n    host: a.test\n    ports:\n    - 443\n",
            format!("network:\n- allow:\n    host: a.test\n    ports:\n    - 443\n- {new}\n"),
        ),
        (
            "network:\n  -\n    allow:\n      reason: |\n        two\n        lines\n      host: a.test",
            format!(
                "network:\n  -\n    allow:\n      reason: |\n        two\n        lines\n      host: a.test\n  - {new}"
            ),
        ),
        (
            "network:\n  - allow:\n      host: a.test\n      reason: |\n        # no comment\n\n# after\n",
            format!(
                "network:\n  - allow:\n      host: a.test\n      reason: |\n        # no comment\n  - {new}\n\n# after\n"
            ),
        ),
        ("network: []\n", format!("network: [{{{new}}}]\n")),
        (
            "network: [ # why\n  {allow: {host: ä.test}},\n]\n",
            format!("network: [ # why\n  {{allow: {{host: ä.test}}}}, {{{new}}},\n]\n"),
        ),
        (
            "network:\n  - allow: {\n  host: a.test\n  }\ndescription: x\n",
            format!("network:\n  - allow: {{\n  host: a.test\n  }}\n  - {new}\ndescription: x\n"),
        ),
        (
            "description: x\n---\napiVersion: ringfence/v1\nkind: Profile\nname: q\nnetwork: []\n",
            format!(
                "description: x\nnetwork:\n  - {new}\n---\napiVersion: ringfence/v1\nkind: Profile\nname: q\nnetwork: []\n"
            ),
        ),
    ] {
        assert_eq!(appended(before).unwrap(), after, "{before}");
    }
}

#[test]
fn windows_line_ends_stay_valid() {
    let text = format!("{HEAD}network:\n  - allow: {{host: a.test}}\n").replace('\n', "\r\n");
    let rule = Profile::from_allow("new.test").unwrap();
    let changed = append_rule(&text, "p", &rule).unwrap();
    assert_eq!(Profile::parse("p", &changed).unwrap()[0].network.len(), 2);
}

#[test]
fn a_layout_that_cannot_be_kept_is_an_error_that_shows_the_rule() {
    let rule = Profile::from_allow("new.test").unwrap();
    let error = append_rule(
        "{apiVersion: ringfence/v1, kind: Profile, name: p}",
        "p",
        &rule,
    )
    .expect_err("the document is one flow mapping");
    assert_eq!(
        error.help.as_deref(),
        Some(r#"add this line to `network`: - allow: {host: "new.test"}"#)
    );
}

#[test]
fn a_change_that_would_alter_another_rule_is_refused() {
    let kept = "network:\n  - allow:\n      host: a.test\n      reason: |+\n        a\n\n\n";
    assert!(
        appended(kept).is_err(),
        "the line would cut the blank lines of the reason"
    );
}

#[test]
fn a_document_that_is_not_there_or_not_valid_is_not_touched() {
    let rule = Profile::from_allow("new.test").unwrap();
    assert!(append_rule(HEAD, "q", &rule).is_err());
    assert!(append_rule("name: p", "p", &rule).is_err());
}

#[test]
fn a_rule_that_is_not_valid_in_the_document_is_refused() {
    let text = format!("{HEAD}network:\n  - allow: {{id: a, host: a.test}}\n");
    let rule = Profile::parse("p", &text).unwrap()[0].network[0].clone();
    assert!(append_rule(&text, "p", &rule).is_err(), "the id is taken");
}

#[test]
fn text_of_a_rule_cannot_break_out_of_its_line() {
    let mut rule = Profile::from_allow("new.test").unwrap();
    if let NetworkRule::Allow(terms) = &mut rule {
        terms.reason = Some("a\"}}\n  - allow: {host: evil.test}\n# \u{2028}x".to_owned());
    }
    let text = append_rule(HEAD, "p", &rule).unwrap();
    assert_eq!(Profile::parse("p", &text).unwrap()[0].network, [rule]);
}
