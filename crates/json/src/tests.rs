use proptest::prelude::*;

use super::object::Spelling;
use super::*;

fn rewrite(text: &str, change: impl FnOnce(Value<'_>, &mut Changes)) -> String {
    let tape = Tape::read(text.as_bytes()).unwrap();
    let mut changes = Changes::default();
    let root = tape.root(text.as_bytes());
    change(root, &mut changes);
    String::from_utf8(changes.write(root)).unwrap()
}

fn element(array: Value<'_>, index: usize) -> u32 {
    array.elements().nth(index).unwrap().at()
}

#[test]
fn what_is_not_json_is_refused() {
    let deep = [vec![b'['; 200], vec![b']'; 200]].concat();
    for text in [
        &b""[..],
        b"{",
        b"{} {}",
        b"{'a':1}",
        b"{\"a\":1,}",
        b"[1,]",
        b"[,1]",
        b"{\"a\" 1}",
        b"[}",
        b"\xff",
        b"\"\xc3\x28\"",
        b"\"\\ud800\"",
        b"\"\\udc00\"",
        b"\"\\x41\"",
        b"\"\n\"",
        b"01",
        b"1.",
        b".5",
        b"-",
        b"1e",
        b"NaN",
        b"tru",
        b"// comment\n1",
        b"\xef\xbb\xbf{}",
        &deep,
    ] {
        assert!(Tape::read(text).is_err(), "{}", text.escape_ascii());
    }
}

#[test]
fn a_name_that_occurs_twice_is_refused_wherever_it_is() {
    let many = |last: &str| {
        let names: Vec<String> = (0..40).map(|it| format!("\"k{it}\":1")).collect();
        format!("{{{},\"{last}\":1}}", names.join(","))
    };
    for text in [
        r#"{"a":1,"a":2}"#,
        r#"{"a":1,"\u0061":2}"#,
        r#"{"\u0061":1,"a":2}"#,
        r#"{"\u0061":1,"\u0061":2}"#,
        r#"{"":1,"":2}"#,
        r#"[{"x":{"b":{},"c":[{}],"b":1}}]"#,
        &many("k3"),
        &many("k39"),
        &many("k\\u0033"),
    ] {
        let error = Tape::read(text.as_bytes()).unwrap_err();
        assert!(matches!(error, JsonError::Twice(_)), "{text} {error}");
    }
    assert!(Tape::read(many("k40").as_bytes()).is_ok());
    assert!(Tape::read(br#"{"a":{"a":1},"b":{"a":2}}"#).is_ok());
}

#[test]
fn names_that_some_readers_take_for_the_same_are_refused_where_something_is_read() {
    for text in [
        r#"{"model":1,"Model":2}"#,
        r#"{"max_tokens":1,"maxTokens":2}"#,
        "{\"base\":1,\"ba\u{17f}e\":2}",
    ] {
        let tape = Tape::read(text.as_bytes()).unwrap();
        let opened = tape.root(text.as_bytes()).object(Spelling::Exact);
        assert!(opened.is_err(), "{text}");
    }
    let text = br#"{"Model":1,"max_tokens":2}"#;
    let tape = Tape::read(text).unwrap();
    let object = tape.root(text).object(Spelling::Exact).unwrap();
    assert!(object.get("model").is_err());
    assert!(object.get("maxTokens").is_err());
    let object = tape.root(text).object(Spelling::CamelOrSnake).unwrap();
    assert_eq!(object.count("maxTokens").unwrap(), Some(2));
}

#[test]
fn a_part_goes_with_its_comma() {
    for (text, gone, left) in [
        ("[1, 2, 3]", vec![0], "[2, 3]"),
        ("[1, 2, 3]", vec![1], "[1, 3]"),
        ("[1, 2, 3]", vec![2], "[1, 2]"),
        ("[1, 2, 3]", vec![1, 2], "[1]"),
        ("[1, 2, 3]", vec![0, 2], "[2]"),
        ("[ 1, 2, 3 ]", vec![0, 1, 2], "[  ]"),
    ] {
        let out = rewrite(text, |root, changes| {
            for index in gone {
                changes.remove(element(root, index));
            }
        });
        assert_eq!(out, left);
    }
    let out = rewrite(r#"[1,{"a":1,"b":2},3,4]"#, |root, changes| {
        changes.remove(element(root, 0));
        let a = root.elements().nth(1).unwrap().members().next().unwrap().0;
        changes.remove(a.at());
        changes.remove(element(root, 3));
    });
    assert_eq!(out, r#"[{"b":2},3]"#);
    let out = rewrite(r#"{"a":[{"x":1},{"y":2}], "b":2}"#, |root, changes| {
        let (key, a) = root.members().next().unwrap();
        changes.remove(element(a, 0));
        let y = a.elements().nth(1).unwrap().get("y").unwrap();
        changes.replace(y.at(), "[]".to_owned());
        let _ = key;
    });
    assert_eq!(out, r#"{"a":[{"y":[]}], "b":2}"#);
}

#[test]
fn a_member_is_added_to_objects_with_and_without_members() {
    for (text, out) in [("{}", r#"{"n":1}"#), (r#"{ "a":1}"#, r#"{"n":1, "a":1}"#)] {
        let written = rewrite(text, |root, changes| {
            changes.add(root.at(), "n", "0");
            changes.add(root.at(), "n", "1");
        });
        assert_eq!(written, out);
    }
    let written = rewrite(r#"{"a":1}"#, |root, changes| {
        changes.add(root.at(), "n", "1");
        changes.remove(root.members().next().unwrap().0.at());
    });
    assert_eq!(written, r#"{"n":1}"#);
}

#[test]
fn the_path_of_a_value_is_told() {
    let text = br#"{"messages":[1,{"content":["x"]}]}"#;
    let tape = Tape::read(text).unwrap();
    let x = tape.root(text).number(tape.len() - 1);
    assert_eq!(x.text().unwrap(), "x");
    assert_eq!(x.path().to_string(), "messages[1].content[0]");
}

#[test]
fn a_value_is_written_anew() {
    let text =
        br#" { "b" : [ 1e3 , 12345678901234567890123, -0 ] , "a" : "\u0041\/" , "\u0063" : {} } "#;
    let tape = Tape::read(text).unwrap();
    let root = tape.root(text);
    let compact = String::from_utf8(root.compact()).unwrap();
    assert_eq!(
        compact,
        r#"{"b":[1e3,12345678901234567890123,-0],"a":"A/","c":{}}"#
    );
    let canonical = r#"{"a":"A/","b":[1e3,12345678901234567890123,-0],"c":{}}"#;
    assert_eq!(root.canonical(), canonical);
}

#[test]
fn a_number_that_readers_differ_about_is_no_value() {
    for (text, is) in [
        ("[1e308]", true),
        ("[1e309]", false),
        ("{\"a\":-1e999}", false),
    ] {
        let tape = Tape::read(text.as_bytes()).unwrap();
        assert_eq!(tape.root(text.as_bytes()).to_json().is_some(), is, "{text}");
    }
}

/// Any JSON without numbers that are rounded.
fn documents() -> impl Strategy<Value = serde_json::Value> {
    let leaf = prop_oneof![
        Just(serde_json::Value::Null),
        any::<bool>().prop_map(Into::into),
        any::<i64>().prop_map(Into::into),
        any::<String>().prop_map(Into::into),
    ];
    leaf.prop_recursive(4, 32, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Into::into),
            prop::collection::btree_map(any::<String>(), inner, 0..4)
                .prop_map(|it| serde_json::Value::Object(it.into_iter().collect())),
        ]
    })
}

proptest! {
    #[test]
    fn what_is_written_anew_is_the_same_value(document in documents()) {
        for text in [document.to_string(), format!("{document:#}")] {
            let tape = Tape::read(text.as_bytes()).unwrap();
            let root = tape.root(text.as_bytes());
            prop_assert_eq!(root.to_json(), Some(document.clone()));
            for written in [root.compact(), root.canonical().into_bytes()] {
                let again: serde_json::Value = serde_json::from_slice(&written).unwrap();
                prop_assert_eq!(&again, &document);
            }
            prop_assert_eq!(root.canonical(), document.to_string());
        }
    }
}

proptest! {
    #[test]
    fn it_agrees_with_the_library(text in r#"[\[\]{}",:0-9a-e\\u .+-]{0,40}"#) {
        let ours = Tape::read(text.as_bytes());
        let theirs = serde_json::from_str::<serde_json::Value>(&text);
        match (&ours, &theirs) {
            // Numbers that are too large for the library are no concern of a reader of spans.
            (Ok(_), Err(error)) => prop_assert!(error.to_string().contains("out of range"), "{}", error),
            (Err(JsonError::Twice(_)), _) | (Ok(_), Ok(_)) | (Err(_), Err(_)) => {}
            (Err(error), Ok(_)) => prop_assert!(false, "{} {}", error, text),
        }
    }

    #[test]
    fn texts_are_decoded_as_the_library_does(text in any::<String>(), pad in 0..9usize) {
        let json = format!("{}{}", " ".repeat(pad), quote(&text));
        let tape = Tape::read(json.as_bytes()).unwrap();
        prop_assert_eq!(tape.root(json.as_bytes()).text().unwrap(), text.as_str());
        let escaped: String = text.encode_utf16().map(|it| format!("\\u{it:04x}")).collect();
        let json = format!("\"{escaped}\"");
        let tape = Tape::read(json.as_bytes()).unwrap();
        prop_assert_eq!(tape.root(json.as_bytes()).text().unwrap(), text.as_str());
    }
}

fn quote(text: &str) -> String {
    serde_json::to_string(text).unwrap()
}

/// The empty name is a name: many of them, few of them, escaped ones.
#[test]
fn an_empty_name_that_occurs_twice_is_found() {
    let many: Vec<String> = (0..12).map(|n| format!(r#""k{n}":0"#)).collect();
    let twice = format!(r#"{{"":1,{},"":2}}"#, many.join(","));
    assert!(matches!(
        Tape::read(twice.as_bytes()),
        Err(JsonError::Twice(_))
    ));
    let once = br#"{"\u0061":1,"":2}"#;
    assert!(Tape::read(once).is_ok());
}
