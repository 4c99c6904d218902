use super::*;

fn file(tools: &str) -> String {
    format!("apiVersion: ringfence/v1\nkind: Tools\ntools:\n{tools}")
}

fn fault(tools: &str) -> String {
    read(&file(tools)).unwrap_err().to_string()
}

const GOOD: &str = "  - { name: good, description: Does it., command: [\"true\"] }\n";

#[test]
fn a_file_is_read() {
    let catalogue = read(&file(GOOD)).unwrap();
    assert_eq!(catalogue.tools.len(), 1);
    let tool = &catalogue.tools[0];
    assert_eq!((tool.name.as_str(), tool.is_read_only), ("good", false));
}

/// A tool with these fields behind a good one is refused with these words, and with its line.
fn assert_named(fields: &str, words: &str) {
    let tools = format!("{GOOD}  - name: t\n    description: d\n    {fields}\n");
    let said = fault(&tools);
    assert!(said.contains(words), "{fields}\n{said}");
    let line = said
        .strip_prefix("line ")
        .and_then(|it| it.split(':').next());
    let line: u32 = line.and_then(|it| it.parse().ok()).unwrap_or_default();
    assert!(line >= 5, "{said}");
}

/// One argument that has to be there, and one that need not.
const A: &str = "arguments: { properties: { a: { type: string } }, required: [a] }";
const MAYBE: &str = "arguments: { properties: { a: { type: string } } }";

#[test]
fn every_mistake_about_a_program_is_named_with_its_line() {
    assert_named("command: [x]\n    shell: true", "unknown field `shell`");
    assert_named("command: [echo, \"{a}\"]", "`{a}` is no argument");
    for (arguments, command, words) in [
        (MAYBE, "[echo, \"{a}\"]", "may be absent"),
        (A, "[echo]", "is used nowhere"),
        (MAYBE, "[echo]", "is used nowhere"),
        (A, "[\"{a}\"]", "starts with the name of a program"),
        (A, "[sh, -c, \"{a}\"]", "a part of the program"),
    ] {
        assert_named(&format!("{arguments}\n    command: {command}"), words);
    }
    for (field, words) in [
        (
            "http: { method: GET, url: \"https://x.test/\" }",
            "exactly one of",
        ),
        ("timeout: 0", "`timeout`"),
        ("limit: 99999999", "`limit`"),
        ("environment: [\"A=B\"]", "no name of a variable"),
        ("arguments: { type: array }", "type: object"),
        (
            "arguments: { additionalProperties: true }",
            "additionalProperties",
        ),
        (
            "arguments: { properties: { a: { $ref: \"https://evil.test/x\" } } }",
            "nothing is fetched",
        ),
        (
            "outputSchema: { type: object }\n    output: text",
            "output: json",
        ),
    ] {
        assert_named(&format!("command: [x]\n    {field}"), words);
    }
    assert_named("command: [x, \"a\\0b\"]", "NUL");
    assert_named("readOnly: true", "exactly one of");
}

#[test]
fn every_mistake_about_a_request_is_named_with_its_line() {
    for (request, words) in [
        ("method: GET, url: \"https://{a}/\"", "written out"),
        (
            "method: GET, url: \"https://x.test/{a?}\"",
            "cannot be absent",
        ),
        (
            "method: GET, url: \"https://x.test/?q={a}\"",
            "under `query`",
        ),
        (
            "method: GET, url: \"https://x.test/{a}\", headers: { Authorization: x }",
            "gateway's",
        ),
        (
            "method: GET, url: \"https://x.test/{a}\", body: {}",
            "GET has no body",
        ),
        ("method: TRACE, url: \"https://x.test/{a}\"", "TRACE"),
        ("method: GET, url: \"/{a}\"", "no absolute URL"),
    ] {
        assert_named(&format!("{A}\n    http: {{ {request} }}"), words);
    }
}

#[test]
fn mistakes_about_the_whole_are_named_as_well() {
    assert!(fault(&format!("{GOOD}{GOOD}")).contains("line 5: the tool `good` is there twice"));
    assert!(
        fault("  - { name: \"a b\", description: d, command: [x] }").contains("no name of a tool")
    );
    assert!(fault("  []").contains("no tool"));
    assert!(read("apiVersion: ringfence/v2\nkind: Tools\ntools: []").is_err());
    assert!(read("apiVersion: ringfence/v1\nkind: Profile\ntools: []").is_err());
}

#[test]
fn bombs_are_refused_at_once() {
    let begun = std::time::Instant::now();
    let laughs = (1..30).fold("a0: &a0 [x]\n".to_owned(), |text, n| {
        let before = format!("*a{}", n - 1);
        format!("{text}a{n}: &a{n} [{before}, {before}, {before}]\n")
    });
    for text in [
        laughs,
        "[".repeat(100_000),
        format!("a: {}", "{a: ".repeat(10_000)),
        "- ".repeat(100_000),
        format!("a: \"{}\"", "x".repeat(DOCUMENT_OCTETS)),
        format!(
            "apiVersion: ringfence/v1\nkind: Tools\ntools:\n{}",
            GOOD.repeat(2000)
        ),
        "a: !!binary x\n".to_owned(),
        "a: 1\na: 2\n".to_owned(),
        "a: &x 1\n".to_owned(),
    ] {
        assert!(read(&text).is_err());
    }
    assert!(begun.elapsed() < std::time::Duration::from_secs(10));
}

#[test]
fn a_text_says_what_it_shows() {
    let anchor = GOOD.replace("- {", "- &a {");
    assert!(fault(&anchor).contains("anchors"));
    let twice = GOOD.replace("name: good,", "name: good, name: evil,");
    assert!(
        fault(&twice).contains("line 4: this key is there twice"),
        "{}",
        fault(&twice)
    );
    let merged = GOOD.replace("name: good,", "name: good, <<: { title: x },");
    assert!(read(&file(&merged)).is_err());
}

#[test]
fn the_schema_is_the_one_that_is_published() {
    let path = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../../docs/reference/mcp-tools.schema.json"
    );
    let schema = format!("{:#}\n", json_schema());
    if std::env::var_os("UPDATE_REFERENCE").is_some() {
        std::fs::write(path, &schema).unwrap();
    }
    assert_eq!(
        std::fs::read_to_string(path).unwrap_or_default(),
        schema,
        "run it with UPDATE_REFERENCE=1"
    );
}
