//! How much memory it takes to read a body, from above and before it is read: a document takes many
//! times the octets of its text.

use serde_json::Value;

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

/// Of the GraphQL document in a request, besides the request itself.
pub(super) fn of_graphql(request: &Value) -> u64 {
    let query = request.get("query").and_then(Value::as_str);
    query.map_or(0, |query| GRAPHQL * query.len() as u64)
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
    }
}
