//! The schema of a tool's arguments with another one that they must match as well, so that a model
//! does not try what would be denied. Some providers of models take no `allOf` and the like at the
//! top of such a schema, so the top stays an object's.

use serde_json::{Map, Value, json};

/// A schema that takes no more than either of the two. It is for the model to see; calls are
/// checked against the second itself.
#[must_use]
pub fn narrowed(own: &Value, also: &Value) -> Value {
    let (Some(own), Some(also)) = (own.as_object(), also.as_object()) else {
        return also.clone();
    };
    let mut top = own.clone();
    top.entry("type").or_insert_with(|| json!("object"));
    for (keyword, value) in also {
        match keyword.as_str() {
            "type" | "$schema" | "$id" | "$comment" | "title" => {}
            // Not at the top; the check of the call knows of them.
            "allOf" | "anyOf" | "oneOf" | "not" | "if" | "then" | "else" => {}
            "properties" => properties(&mut top, value),
            "required" => required(&mut top, value),
            "additionalProperties" => additional(&mut top, value),
            "description" => {
                top.entry("description").or_insert_with(|| value.clone());
            }
            _ => {
                // What is there already stays: the check of the call is what counts.
                top.entry(keyword.as_str()).or_insert_with(|| value.clone());
            }
        }
    }
    if also.get("additionalProperties") == Some(&Value::Bool(false)) {
        only(&mut top, also.get("properties"));
    }
    Value::Object(top)
}

fn properties(top: &mut Map<String, Value>, also: &Value) {
    let Some(also) = also.as_object() else { return };
    let own = top.entry("properties").or_insert_with(|| json!({}));
    let Some(own) = own.as_object_mut() else {
        return;
    };
    for (name, schema) in also {
        match own.get(name) {
            Some(known) => {
                let both = both(known, schema);
                own.insert(name.clone(), both);
            }
            None => {
                own.insert(name.clone(), schema.clone());
            }
        }
    }
}

/// Both of two schemas of one argument, in one where they do not speak of the same.
fn both(own: &Value, also: &Value) -> Value {
    match (own, also) {
        (Value::Bool(true), other) | (other, Value::Bool(true)) => other.clone(),
        (Value::Object(a), Value::Object(b)) => {
            let mut merged = a.clone();
            let mut rest = Map::new();
            for (keyword, value) in b {
                match merged.get(keyword) {
                    Some(known) if known == value => {}
                    Some(_) if matches!(keyword.as_str(), "description" | "title") => {}
                    Some(_) => {
                        rest.insert(keyword.clone(), value.clone());
                    }
                    None => {
                        merged.insert(keyword.clone(), value.clone());
                    }
                }
            }
            if rest.is_empty() {
                return Value::Object(merged);
            }
            let mut all = match merged.remove("allOf") {
                Some(Value::Array(all)) => all,
                _ => Vec::new(),
            };
            all.push(Value::Object(rest));
            merged.insert("allOf".to_owned(), Value::Array(all));
            Value::Object(merged)
        }
        (Value::Bool(false), _) | (_, Value::Bool(false)) => Value::Bool(false),
        _ => also.clone(),
    }
}

fn required(top: &mut Map<String, Value>, also: &Value) {
    let own = top.entry("required").or_insert_with(|| json!([]));
    if let (Some(own), Some(also)) = (own.as_array_mut(), also.as_array()) {
        for name in also {
            if !own.contains(name) {
                own.push(name.clone());
            }
        }
    }
}

fn additional(top: &mut Map<String, Value>, also: &Value) {
    match top.get("additionalProperties") {
        Some(Value::Bool(false)) => {}
        None | Some(Value::Bool(true)) => {
            top.insert("additionalProperties".to_owned(), also.clone());
        }
        Some(own) => {
            let both = both(own, also);
            top.insert("additionalProperties".to_owned(), both);
        }
    }
}

/// Where the second takes no other arguments than it names, those of the first that it does not
/// name go.
fn only(top: &mut Map<String, Value>, named: Option<&Value>) {
    let named = named.and_then(Value::as_object);
    if let Some(own) = top.get_mut("properties").and_then(Value::as_object_mut) {
        own.retain(|name, _| named.is_some_and(|named| named.contains_key(name)));
    }
}
