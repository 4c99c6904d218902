use proptest::prelude::*;
use serde_json::json;

use super::*;

fn arguments(value: Value) -> Arguments {
    value.as_object().cloned().unwrap()
}

fn plain(template: &str, value: Value) -> Result<Written, CallError> {
    Template::read(template).unwrap().plain(&arguments(value))
}

fn one(text: &str) -> Result<Written, CallError> {
    Ok(Written::One(text.to_owned()))
}

#[test]
fn places_take_what_they_name() {
    assert_eq!(
        plain("--author={a}", json!({"a": "x y"})),
        one("--author=x y")
    );
    assert_eq!(plain("{a}-{b}", json!({"a": 1, "b": true})), one("1-true"));
    assert_eq!(plain("{{a}} {{}}", json!({})), one("{a} {}"));
    assert_eq!(plain("x{a?}", json!({})), Ok(Written::Absent));
    assert_eq!(plain("x{a?}", json!({"a": null})), Ok(Written::Absent));
    assert_eq!(plain("{a...}", json!({})), Ok(Written::Absent));
    let many = Written::Many(vec!["1".to_owned(), "b".to_owned()]);
    assert_eq!(plain("{a...}", json!({"a": [1, "b"]})), Ok(many));
}

#[test]
fn what_cannot_stand_there_is_refused() {
    for (template, value) in [
        ("{a}", json!({})),
        ("{a}", json!({"a": null})),
        ("{a}", json!({"a": ["x"]})),
        ("{a}", json!({"a": {"b": 1}})),
        ("{a}", json!({"a": "x\0y"})),
        ("{a...}", json!({"a": "x"})),
        ("{a...}", json!({"a": [["x"]]})),
        ("{a...}", json!({"a": ["x\0"]})),
        ("{a...}", json!({"a": vec![1; LIST_VALUES + 1]})),
    ] {
        assert!(
            plain(template, value.clone()).is_err(),
            "{template} {value}"
        );
    }
}

#[test]
fn a_template_that_could_mean_something_else_is_none() {
    for text in [
        "{",
        "}",
        "{a",
        "a}",
        "{}",
        "{a b}",
        "{a.b}",
        "{-a}",
        "{1}",
        "{a??}",
        "x{a...}",
        "{a...}{b}",
        "{{a}",
        "{a}}",
        "a\0",
    ] {
        assert!(Template::read(text).is_err(), "{text}");
    }
}

#[test]
fn a_value_is_never_read_as_a_template() {
    let value = json!({"a": "{b} {b...} {{", "b": "secret"});
    assert_eq!(plain("<{a}>", value), one("<{b} {b...} {{>"));
}

proptest! {
    #[test]
    fn any_text_is_read_or_refused_and_literals_come_back(text in ".{0,64}") {
        if let Ok(template) = Template::read(&text) {
            let places = template.places().count();
            if places == 0 {
                let back = template.plain(&Arguments::new()).unwrap();
                let plain = text.replace("{{", "{").replace("}}", "}");
                prop_assert_eq!(back, Written::One(plain));
            }
        }
    }

    #[test]
    fn a_value_comes_out_as_it_went_in(value in "[^\0]{0,64}") {
        let written = plain("a{x}b", json!({"x": value})).unwrap();
        prop_assert_eq!(written, Written::One(format!("a{value}b")));
    }
}
