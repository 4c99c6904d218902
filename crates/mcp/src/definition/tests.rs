use ringfence_json::Tape;

use super::*;

fn tools(text: &str) -> Result<Vec<Definition>, DefinitionError> {
    let tape = Tape::read(text.as_bytes()).unwrap();
    of_list(tape.root(text.as_bytes()), ListOf::Tools)
}

#[test]
fn the_order_of_members_is_no_difference_and_all_else_is() {
    let one = tools(r#"{"tools":[{"name":"a","description":"d","x":{"p":1,"q":[1,2]}}]}"#);
    let same = tools(r#"{"tools":[ {"x":{"q":[1,2],"p":1},"description":"\u0064","name":"a"} ]}"#);
    assert_eq!(one, same);
    for other in [
        r#"{"tools":[{"name":"a","description":"d","x":{"p":1,"q":[2,1]}}]}"#,
        r#"{"tools":[{"name":"a","description":"D","x":{"p":1,"q":[1,2]}}]}"#,
        r#"{"tools":[{"name":"a","description":"d","x":{"p":1,"q":[1,2]},"_meta":{}}]}"#,
        r#"{"tools":[{"name":"a","description":"d","x":{"p":1,"q":[1,2]},"annotations":{"destructiveHint":false}}]}"#,
    ] {
        assert_ne!(one, tools(other), "{other}");
    }
}

#[test]
fn a_list_that_two_readers_could_read_differently_is_refused() {
    for text in [
        r#"{"tools":[{"name":"a"},{"name":"a"}]}"#,
        r#"{"tools":[{"name":"a"},{"name":"\u0061"}]}"#,
        r#"{"tools":[{"name":"a","Name":"b"}]}"#,
        r#"{"tools":[{"Name":"b"}]}"#,
        r#"{"tools":[{"name":7}]}"#,
        r#"{"tools":[{"name":""}]}"#,
        r#"{"tools":["a"]}"#,
        r#"{"tools":[{"name":"a","x":1e999}]}"#,
        r#"{"tools":{"name":"a"}}"#,
        r#"{"Tools":[]}"#,
        r#"{}"#,
        "{\"tools\":[{\"name\":\"a\u{200b}\"}]}",
        "{\"tools\":[{\"name\":\"a\u{202e}b\"}]}",
        r#"{"tools":[{"name":"a\u0000"}]}"#,
        "{\"tools\":[{\"name\":\"d\u{43e}\"}]}",
        "{\"tools\":[{\"name\":\"\u{ff41}dd_file\"}]}",
    ] {
        assert!(tools(text).is_err(), "{text}");
    }
    assert!(tools(r#"{"tools":[]}"#).unwrap().is_empty());
    assert_eq!(
        tools("{\"tools\":[{\"name\":\"\u{691c}\u{7d22}\"}]}")
            .unwrap()
            .len(),
        1
    );
}

#[test]
fn only_a_tool_can_say_that_it_reads() {
    let list = tools(
        r#"{"tools":[{"name":"a","annotations":{"readOnlyHint":true}},{"name":"b","annotations":{"readOnlyHint":"true"}},{"name":"c"}]}"#,
    );
    let hints: Vec<bool> = list.unwrap().iter().map(|it| it.reads_only).collect();
    assert_eq!(hints, [true, false, false]);
}

#[test]
fn a_server_is_the_same_whatever_differs_from_answer_to_answer() {
    let of = |text: &str| {
        let tape = Tape::read(text.as_bytes()).unwrap();
        of_server(tape.root(text.as_bytes())).unwrap().canonical
    };
    let one = of(r#"{"serverInfo":{"name":"s"},"instructions":"i","ttlMs":5,"_meta":{"a":1}}"#);
    assert_eq!(
        one,
        of(r#"{"instructions":"i","serverInfo":{"name":"s"},"ttlMs":9}"#)
    );
    let stateless = r#"{"instructions":"i","supportedVersions":[],"_meta":{"io.modelcontextprotocol/serverInfo":{"name":"s"}}}"#;
    assert_eq!(one, of(stateless));
    assert_ne!(one, of(r#"{"instructions":"j","serverInfo":{"name":"s"}}"#));
    assert_ne!(one, of(r#"{"instructions":"i","serverInfo":{"name":"t"}}"#));
}

#[test]
fn differences_are_told_by_their_places() {
    let before = r#"{"description":"reads","inputSchema":{"properties":{"a/b":{"type":"string"}}},"tags":[1]}"#;
    let now = "{\"annotations\":{},\"description\":\"reads\u{200b}\",\"inputSchema\":{\"properties\":{\"a/b\":{\"type\":\"number\"}}},\"tags\":[1,2]}";
    let all = differences(before, now);
    let shown: Vec<String> = all
        .iter()
        .map(|it| {
            let or = |text: &Option<String>| text.clone().unwrap_or_else(|| "-".to_owned());
            format!("{} {} {}", it.at, or(&it.before), or(&it.now))
        })
        .collect();
    assert_eq!(
        shown,
        [
            "/annotations - {}",
            "/description \"reads\" \"reads\\u{200b}\"",
            "/inputSchema/properties/a~1b/type \"string\" \"number\"",
            "/tags/1 - 2",
        ]
    );
    assert!(differences(before, before).is_empty());
}
