//! How much memory it takes to read a body, from above and before it is read: a document takes many
//! times the octets of its text.

use serde_json::Value;

use super::limits::GRAPHQL_REPEATED_OCTETS;

/// An object, with its first fields and the set of their names.
const OBJECT: u64 = 800;
/// A field of an object, with its name.
const FIELD: u64 = 256;
/// A list, with its first values.
const LIST: u64 = 128;
/// A value of a list, or a further field.
const NEXT: u64 = 128;
/// One octet of a GraphQL document: a field of it takes two.
const GRAPHQL: u64 = 128;

/// Of a JSON document. Marks in texts count as well.
pub(super) fn of_json(octets: &[u8]) -> u64 {
    let mark = |octet: &u8| match octet {
        b'{' => OBJECT,
        b':' => FIELD,
        b'[' => LIST,
        b',' => NEXT,
        _ => 1,
    };
    octets.iter().map(mark).sum()
}

/// Of the GraphQL document in a request, besides the request itself: the text, and the values of
/// its variables wherever it uses them.
pub(super) fn of_graphql(request: &Value) -> u64 {
    let query = request.get("query").and_then(Value::as_str);
    let query = query.unwrap_or_default();
    let uses = query.bytes().filter(|octet| *octet == b'$').count() as u64;
    let variables = request.get("variables").map_or(0, of_value);
    let repeated = variables.saturating_mul(uses).min(GRAPHQL_REPEATED_OCTETS);
    GRAPHQL * query.len() as u64 + repeated
}

/// Of a value that is read already: the octets of its texts, and more than enough for its parts.
pub(super) fn of_value(value: &Value) -> u64 {
    match value {
        Value::String(text) => NEXT + text.len() as u64,
        Value::Array(items) => LIST + items.iter().map(of_value).sum::<u64>(),
        Value::Object(members) => {
            let members = members.iter();
            let member =
                |(name, value): (&String, &Value)| FIELD + name.len() as u64 + of_value(value);
            OBJECT + members.map(member).sum::<u64>()
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => NEXT,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn small_objects_weigh_more_than_their_text() {
        let text = format!("[{}]", vec!["{\"\":0}"; 1000].join(","));
        assert!(of_json(text.as_bytes()) > 1000 * OBJECT);
        assert_eq!(of_json(b"\"a long text\""), 13);
        let query = serde_json::json!({"query": "{a}", "variables": {"x": "yyyyyyyyyyyy"}});
        assert_eq!(of_graphql(&query), 3 * GRAPHQL);
        let query = serde_json::json!({"query": "{a(x:$x,y:$x)}", "variables": {"x": "yyyy"}});
        let variables = OBJECT + FIELD + 1 + NEXT + 4;
        assert_eq!(of_graphql(&query), 14 * GRAPHQL + 2 * variables);
    }
}
