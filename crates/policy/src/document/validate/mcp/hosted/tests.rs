use super::super::super::super::{Profile, Started};

const HEAD: &str = "apiVersion: ringfence/v1\nkind: Profile\nname: p\n";

fn parsed(fields: &str) -> Result<Profile, String> {
    let yaml = format!("{HEAD}mcpServers: [{{{fields}}}]\n");
    let parsed = Profile::parse("p.yaml", &yaml);
    let told =
        |error: crate::PolicyError| format!("{error} {}", error.help.clone().unwrap_or_default());
    parsed.map(|mut it| it.swap_remove(0)).map_err(told)
}

#[test]
fn a_server_is_started_in_one_way_and_by_a_profile() {
    let far = "x".repeat(5000);
    let mut wrong = Vec::new();
    for (fields, part) in [
        ("name: a", "one of `url`"),
        ("name: a, profile: offline", "one of `url`"),
        ("name: a, command: [x]", "add `profile"),
        (
            "name: a, profile: p, command: [x], tools: t.yaml",
            "one of `url`",
        ),
        (
            "name: a, profile: p, openapi: o.yaml, builtin: cloud",
            "one of `url`",
        ),
        (
            "name: a, url: 'https://a.test', command: [x]",
            "`command` belongs",
        ),
        (
            "name: a, url: 'https://a.test', profile: p",
            "`profile` belongs",
        ),
        (
            "name: a, url: 'https://a.test', sessions: 1",
            "`sessions` belongs",
        ),
        (
            "name: a, profile: p, command: [x], credential: k",
            "never holds one",
        ),
        (
            "name: a, profile: p, command: [x], addresses: [10.0.0.0/8]",
            "no address",
        ),
        ("name: a, profile: p, command: [x], sessions: 0", "1 to 64"),
        ("name: a, profile: p, command: [x], sessions: 65", "1 to 64"),
        ("name: a, profile: p, command: []", "begins with a program"),
        (
            "name: a, profile: p, command: ['', b]",
            "begins with a program",
        ),
        ("name: a, profile: p, command: [x, \"a\\0b\"]", "NUL"),
        ("name: a, profile: p, command: npx", "list is expected"),
        ("name: a, profile: --allow, command: [x]", "not an option"),
        ("name: a, profile: '', command: [x]", "not empty"),
        ("name: a, profile: p, tools: ''", "not empty"),
        ("name: a, profile: p, builtin: shell", "cloud"),
        ("name: a, profile: p, command: [x], read: [etc]", "absolute"),
        (
            "name: a, profile: p, command: [x], environment: {'A=B': c}",
            "`environment`",
        ),
        (
            "name: a, profile: p, command: [x], environment: {1A: c}",
            "`environment`",
        ),
        (
            "name: a, profile: p, command: [x], environment: {A: \"\\0\"}",
            "`environment`",
        ),
        ("name: a-, profile: p, command: [x]", "letter or a digit"),
        (
            &format!("name: a, profile: p, command: [x, {far}]"),
            "octets",
        ),
        (
            "name: a, url: 'http://a.hosted.ringfence.internal/mcp'",
            "Ringfence itself",
        ),
    ] {
        let told = parsed(fields).err().unwrap_or_default();
        if !told.contains(part) {
            wrong.push(format!("{fields}: {told}"));
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn a_server_that_is_started_is_where_nothing_leads_to() {
    let fields = "name: a, profile: p, command: [npx, -y, thing], workspace: w, read: [/opt], environment: {A: b=c}, sessions: 9";
    let profile = parsed(fields).unwrap();
    let terms = &profile.mcp_servers[0];
    let server = terms.server();
    assert_eq!(
        server.destination.to_string(),
        "a.hosted.ringfence.internal:80"
    );
    assert_eq!((server.path.as_str(), terms.most_sessions()), ("/mcp", 9));
    let words = ["npx", "-y", "thing"].map(str::to_owned).to_vec();
    assert_eq!(terms.started(), Some(Started::Command(words)));
    assert_eq!(
        parsed(terms.to_line().trim_matches(['{', '}']))
            .unwrap()
            .mcp_servers,
        profile.mcp_servers
    );
    let tools = parsed("name: a, profile: p, tools: t.yaml").unwrap();
    assert_eq!(
        tools.mcp_servers[0].started(),
        Some(Started::Tools("t.yaml".to_owned()))
    );
    assert_eq!(tools.mcp_servers[0].most_sessions(), 4);
}
