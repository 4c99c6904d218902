//! Strict JSON (RFC 8259): what two readers could read as two different documents is refused.
//! A name that occurs twice in one object is such a thing, and most readers take it silently.

use std::collections::HashSet;
use std::fmt;

use serde_json::{Map, Number, Value};

use serde::de::{DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor};

/// Why a text is not read as JSON.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the body is not JSON that can be read in one way: {0}")]
pub struct JsonError(String);

/// Reads one document. Nesting is bounded by the library's limit of 128.
///
/// # Errors
/// Where it is no JSON, or JSON that two readers could take for two different documents.
pub fn read(octets: &[u8]) -> Result<Value, JsonError> {
    let refused = |error: serde_json::Error| JsonError(error.to_string());
    let mut reader = serde_json::Deserializer::from_slice(octets);
    let value = Strict.deserialize(&mut reader).map_err(refused)?;
    reader.end().map_err(refused)?;
    Ok(value)
}

struct Strict;

impl<'de> DeserializeSeed<'de> for Strict {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Strict {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(Value::Bool(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_f64<E: Error>(self, value: f64) -> Result<Value, E> {
        let number = Number::from_f64(value).ok_or_else(|| E::custom("a number is too large"))?;
        Ok(Value::Number(number))
    }

    fn visit_str<E>(self, value: &str) -> Result<Value, E> {
        Ok(Value::String(value.to_owned()))
    }

    fn visit_string<E>(self, value: String) -> Result<Value, E> {
        Ok(Value::String(value))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Value, A::Error> {
        let mut read = Vec::new();
        while let Some(item) = items.next_element_seed(Self)? {
            read.push(item);
        }
        Ok(Value::Array(read))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut fields: A) -> Result<Value, A::Error> {
        let mut read = Map::new();
        // Some readers fold case, so two names that differ in it alone are ambiguous as well.
        let mut folded = HashSet::new();
        while let Some(name) = fields.next_key::<String>()? {
            if !folded.insert(name.to_uppercase().to_lowercase()) {
                return Err(A::Error::custom(format!("the name {name:?} occurs twice")));
            }
            let value = fields.next_value_seed(Self)?;
            read.insert(name, value);
        }
        Ok(Value::Object(read))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::json;

    #[test]
    fn a_name_that_occurs_twice_is_refused_however_it_is_written() {
        for text in [
            r#"{"a":1,"a":2}"#,
            r#"{"a":1,"A":2}"#,
            r#"{"a":1,"\u0061":2}"#,
            r#"{"base":1,"ba\u017fe":2}"#,
            r#"[{"x":{"b":1,"b":1}}]"#,
        ] {
            let error = read(text.as_bytes()).unwrap_err();
            assert!(error.to_string().contains("occurs twice"), "{error}");
        }
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
            b"\xff",
            b"\"\xc3\x28\"",
            b"\"\\ud800\"",
            b"NaN",
            b"1e999",
            b"// comment\n1",
            b"\xef\xbb\xbf{}",
            &deep,
        ] {
            assert!(read(text).is_err(), "{}", text.escape_ascii());
        }
    }

    #[test]
    fn the_same_name_in_different_objects_is_fine() {
        let value = read(br#"{"a":{"b":1},"c":{"b":[1.5,-2,true,null,"x"]}}"#).unwrap();
        assert_eq!(
            value,
            json!({"a": {"b": 1}, "c": {"b": [1.5, -2, true, null, "x"]}})
        );
    }

    proptest! {
        #[test]
        fn what_is_read_is_what_the_library_reads(text in r#"[\[\]{}",:0-9a-e\\u ]{0,40}"#) {
            if let Ok(value) = read(text.as_bytes()) {
                prop_assert_eq!(serde_json::from_str::<Value>(&text).unwrap(), value);
            }
        }
    }
}
