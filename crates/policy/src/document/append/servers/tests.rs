use super::*;

const HEAD: &str = "apiVersion: ringfence/v1\nkind: Profile\nname: p\n";
const NEW: &str = r#"{name: "corp", kind: "gitea", host: "git.corp.test"}"#;

fn corp() -> GitUpstreamTerms {
    let text = format!("{HEAD}gitUpstreams: [{NEW}]\n");
    let profiles = Profile::parse("p", &text).unwrap();
    profiles[0].git_upstreams[0].clone()
}

fn changed(text: Result<String, PolicyError>) -> String {
    text.unwrap().strip_prefix(HEAD).unwrap().to_owned()
}

#[test]
fn a_server_is_added_and_taken_out_and_all_else_stays() {
    let old = "{name: old, kind: gitea, host: old.test}";
    for (without, with) in [
        (
            "# Mine.\n".to_owned(),
            format!("gitUpstreams:\n  - {NEW}\n# Mine.\n"),
        ),
        (
            format!("gitUpstreams: # here\n  - {old} # one\n\ntests: []\n"),
            format!("gitUpstreams: # here\n  - {old} # one\n  - {NEW}\n\ntests: []\n"),
        ),
        (
            "gitUpstreams: []\n".to_owned(),
            format!("gitUpstreams: [{NEW}]\n"),
        ),
        (
            format!("gitUpstreams: [{old}]\n"),
            format!("gitUpstreams: [{old}, {NEW}]\n"),
        ),
    ] {
        let before = format!("{HEAD}{without}");
        let added = append_git_upstream(&before, "p", &corp()).unwrap();
        assert_eq!(added.strip_prefix(HEAD), Some(with.as_str()), "{without}");
        let removed = remove_git_upstream(&added, "p", &corp().name);
        assert_eq!(changed(removed), without);
    }
    let first = format!("{HEAD}gitUpstreams: [{NEW}, {old}]\n");
    let removed = remove_git_upstream(&first, "p", &corp().name);
    assert_eq!(changed(removed), format!("gitUpstreams: [{old}]\n"));
    let first =
        format!("{HEAD}gitUpstreams:\n- {NEW}\n-\n  name: old\n  kind: gitea\n  host: old.test\n");
    let removed = remove_git_upstream(&first, "p", &corp().name);
    assert_eq!(
        changed(removed),
        "gitUpstreams:\n-\n  name: old\n  kind: gitea\n  host: old.test\n"
    );
}

#[test]
fn a_server_that_is_there_is_not_added_and_one_that_rules_name_is_not_taken_out() {
    let text = format!("{HEAD}gitUpstreams: [{NEW}]\ngit: [{{allow: {{repo: corp/a/b}}}}]\n");
    let again = append_git_upstream(&text, "p", &corp()).unwrap_err();
    assert!(
        again.to_string().contains("already a git server"),
        "{again}"
    );
    let gone = remove_git_upstream(&text, "p", &corp().name).unwrap_err();
    assert!(gone.to_string().contains("no git server `corp`"), "{gone}");
    let other = UpstreamName::new("other").unwrap();
    let unknown = remove_git_upstream(&text, "p", &other).unwrap_err();
    assert!(unknown.to_string().contains("`other`"), "{unknown}");
}

#[test]
fn a_provider_is_added_and_taken_out_in_the_same_way() {
    const LINE: &str =
        r#"{name: "local", kind: "openai", url: "http://host.ringfence.internal:11434/v1"}"#;
    let text = format!("{HEAD}llmProviders: [{LINE}]\n");
    let terms = Profile::parse("p", &text).unwrap()[0].llm_providers[0].clone();
    let servers = format!("{HEAD}gitUpstreams: [{NEW}]\n");
    for before in [HEAD, &servers] {
        let added = append_llm_provider(before, "p", &terms).unwrap();
        assert_eq!(added, format!("{before}llmProviders:\n  - {LINE}\n"));
        let removed = remove_llm_provider(&added, "p", &terms.name).unwrap();
        assert_eq!(removed, before);
        let again = append_llm_provider(&added, "p", &terms).unwrap_err();
        assert!(again.to_string().contains("already a provider"), "{again}");
    }
    let named = format!("{text}llm: [{{allow: {{provider: local}}}}]\n");
    let gone = remove_llm_provider(&named, "p", &terms.name).unwrap_err();
    assert!(gone.to_string().contains("no provider `local`"), "{gone}");
    let unknown = remove_llm_provider(HEAD, "p", &terms.name).unwrap_err();
    assert!(unknown.to_string().contains("`local`"), "{unknown}");
}

#[test]
fn an_mcp_server_is_added_and_taken_out_in_the_same_way() {
    const LINE: &str = r#"{name: "desk", url: "https://mcp.desk.test/mcp"}"#;
    let text = format!("{HEAD}mcpServers: [{LINE}]\n");
    let terms = Profile::parse("p", &text).unwrap()[0].mcp_servers[0].clone();
    let servers = format!("{HEAD}gitUpstreams: [{NEW}]\n");
    for before in [HEAD, &servers] {
        let added = append_mcp_server(before, "p", &terms).unwrap();
        assert_eq!(added, format!("{before}mcpServers:\n  - {LINE}\n"));
        let removed = remove_mcp_server(&added, "p", &terms.name).unwrap();
        assert_eq!(removed, before);
        let again = append_mcp_server(&added, "p", &terms).unwrap_err();
        assert!(again.to_string().contains("already a server"), "{again}");
    }
    let named = format!("{text}mcp: [{{allow: {{server: desk}}}}]\n");
    let gone = remove_mcp_server(&named, "p", &terms.name).unwrap_err();
    assert!(gone.to_string().contains("no server `desk`"), "{gone}");
    let unknown = remove_mcp_server(HEAD, "p", &terms.name).unwrap_err();
    assert!(unknown.to_string().contains("`desk`"), "{unknown}");
}
