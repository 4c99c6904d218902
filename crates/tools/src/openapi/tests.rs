use serde_json::json;

use super::*;
use crate::tool::{How, Tool};

fn api(paths: Value) -> Value {
    json!({
        "openapi": "3.1.0", "info": {"title": "Pets"}, "servers": [{"url": "https://api.acme.test/v1/"}],
        "paths": paths,
    })
}

fn tools(api: &Value) -> Catalogue {
    read(&api.to_string()).unwrap()
}

fn schema(tool: &Tool) -> Value {
    Value::Object((**tool.arguments.source()).clone())
}

fn target(tool: &Tool, arguments: Value) -> String {
    let How::Http(http) = &tool.how else {
        panic!("no request")
    };
    http.request(arguments.as_object().unwrap(), &Default::default())
        .unwrap()
        .target
}

#[test]
fn an_operation_is_a_tool() {
    let catalogue = tools(&api(json!({"/pets/{pet id}/x-{n}": {"get": {
        "operationId": "pets.show!", "summary": "A pet.", "description": "All of it.",
        "parameters": [
            {"name": "pet id", "in": "path", "required": true, "schema": {"type": "string"}},
            {"name": "n", "in": "path", "required": true, "schema": {"type": "integer"}},
            {"name": "n", "in": "query", "description": "How many.", "schema": {"type": "array", "items": {"type": "integer"}}, "explode": false},
        ],
    }}})));
    let tool = &catalogue.tools[0];
    assert_eq!(
        (
            tool.name.as_str(),
            tool.description.as_str(),
            tool.is_read_only
        ),
        ("pets_show", "A pet.\n\nAll of it.", true)
    );
    assert_eq!(
        schema(tool),
        json!({
            "type": "object", "additionalProperties": false, "required": ["n", "pet_id"],
            "properties": {
                "pet_id": {"type": "string"}, "n": {"type": "integer"},
                "query_n": {"type": "array", "items": {"type": "integer"}, "description": "How many."},
            },
        })
    );
    assert_eq!(
        target(tool, json!({"pet_id": "a b", "n": 1, "query_n": [1, 2]})),
        "/v1/pets/a%20b/x-1?n=1,2"
    );
}

#[test]
fn yaml_is_read_as_people_write_it() {
    let text = "openapi: 3.0.3\ninfo: {title: x, version: 1.0.0}\nservers:\n- url: http://api.acme.test\npaths:\n  /a:\n    get:\n      responses:\n        200: {description: ok}\n        default: {description: no}\n";
    assert_eq!(read(text).unwrap().tools[0].name, "get_a");
}

#[test]
fn schemas_of_the_first_version_become_those_of_today() {
    let mut api = api(
        json!({"/a": {"post": {"requestBody": {"required": true, "content": {"application/json": {"schema": {
            "type": "object", "example": {}, "xml": {}, "discriminator": {"propertyName": "k"},
            "properties": {
                "nullable": {"type": "string", "nullable": true},
                "example": {"type": "integer", "minimum": 1, "exclusiveMinimum": true, "maximum": 9, "exclusiveMaximum": false},
            },
        }}}}}}}),
    );
    api["openapi"] = json!("3.0.2");
    let catalogue = tools(&api);
    assert_eq!(
        schema(&catalogue.tools[0])["properties"]["body"],
        json!({
            "type": "object",
            "properties": {
                "nullable": {"anyOf": [{"type": "string"}, {"type": "null"}]},
                "example": {"type": "integer", "exclusiveMinimum": 1, "maximum": 9},
            },
        })
    );
}

#[test]
fn cycles_stay_cycles_and_a_fan_of_references_stays_small() {
    let mut schemas = serde_json::Map::new();
    for n in 0..25 {
        let next = format!("#/components/schemas/S{}", (n + 1) % 25);
        schemas.insert(
            format!("S{n}"),
            json!({"type": "object", "properties": {
                "a": {"$ref": next}, "b": {"$ref": next}, "c": {"items": {"$ref": next}},
            }}),
        );
    }
    let mut api = api(
        json!({"/a": {"post": {"requestBody": {"content": {"application/json": {"schema": {"$ref": "#/components/schemas/S0"}}}}}}}),
    );
    api["components"] = json!({"schemas": schemas});
    let catalogue = tools(&api);
    let schema = schema(&catalogue.tools[0]);
    assert_eq!(schema["$defs"].as_object().unwrap().len(), 25);
    assert!(schema.to_string().len() < 10_000);
    assert!(
        catalogue.tools[0]
            .arguments
            .fault(&json!({"body": {"a": {"b": {"c": 1}}}}))
            .is_none()
    );
    assert!(
        catalogue.tools[0]
            .arguments
            .fault(&json!({"body": {"a": 1}}))
            .is_some()
    );
}

#[test]
fn what_leads_elsewhere_or_round_in_circles_is_left_out_and_said() {
    let body = |schema: Value| json!({"post": {"requestBody": {"content": {"application/json": {"schema": schema}}}}});
    let mut api = api(json!({
        "/good": {"get": {}},
        "/net": body(json!({"$ref": "https://evil.test/s.json"})),
        "/file": body(json!({"properties": {"x": {"$ref": "file:///etc/passwd"}}})),
        "/item": {"$ref": "http://evil.test/item.json"},
        "/parameter": {"get": {"parameters": [{"$ref": "other.yaml#/p"}]}},
        "/nowhere": body(json!({"$ref": "#/components/schemas/None"})),
        "/self": body(json!({"$ref": "#/components/schemas/Self"})),
        "/loop": {"$ref": "#/paths/~1loop"},
        "/servers": {"get": {"servers": [{"url": "https://evil.test"}]}},
        "/undeclared/{id}": {"get": {}},
        "/../up": {"get": {}},
        "/brace}": {"get": {}},
        "/matrix/{id}": {"get": {"parameters": [{"name": "id", "in": "path", "style": "matrix"}]}},
        "/multipart": {"post": {"requestBody": {"required": true, "content": {"multipart/form-data": {}}}}},
    }));
    api["components"] =
        json!({"schemas": {"Self": {"allOf": [{"$ref": "#/components/schemas/Self"}]}}});
    let catalogue = tools(&api);
    assert_eq!(catalogue.tools.len(), 1, "{:?}", catalogue.left_out);
    assert_eq!(catalogue.left_out.len(), 13, "{:?}", catalogue.left_out);
    let fetched = catalogue
        .left_out
        .iter()
        .filter(|it| it.contains("nothing is fetched"));
    assert_eq!(fetched.count(), 4, "{:?}", catalogue.left_out);
}

#[test]
fn cookies_and_headers_of_the_gateway_are_no_arguments() {
    let place = |name: &str, place: &str| json!({"name": name, "in": place, "required": true, "schema": {}});
    let catalogue = tools(&api(json!({"/a": {"get": {"parameters": [
        place("session", "cookie"), place("Authorization", "header"), place("Host", "header"),
        place("Accept", "header"), place("Content-Length", "header"), place("X-Own", "header"),
    ]}}})));
    assert_eq!(schema(&catalogue.tools[0])["required"], json!(["X-Own"]));
}

#[test]
fn a_pattern_that_is_not_supported_is_dropped_and_the_rest_stays() {
    let parameter = json!({"name": "a", "in": "query", "schema": {"type": "string", "maxLength": 3, "pattern": "^(?=x)(?!y)"}});
    let catalogue = tools(&api(json!({"/a": {"get": {"parameters": [parameter]}}})));
    assert_eq!(
        schema(&catalogue.tools[0])["properties"]["a"],
        json!({"type": "string", "maxLength": 3})
    );
}

#[test]
fn where_the_api_is_has_to_be_written_out() {
    for url in [
        "/v1",
        "https://{region}.acme.test",
        "https://acme.test/{v}",
        "https://acme.test/?a",
        "ftp://acme.test",
        "https://a@acme.test",
    ] {
        let mut api = api(json!({"/a": {"get": {}}}));
        api["servers"] = json!([{"url": url}]);
        assert!(read(&api.to_string()).is_err(), "{url}");
    }
    for text in [
        "swagger: \"2.0\"",
        "{}",
        "{\"openapi\": \"4.0.0\"}",
        "openapi: 3.1.0",
        "",
        "[",
        "{\"openapi\": 3.1}",
    ] {
        assert!(read(text).is_err(), "{text}");
    }
    assert!(read(&api(json!({})).to_string()).is_err());
}

#[test]
fn bombs_are_refused_within_bounds() {
    let begun = std::time::Instant::now();
    let many = (0..=TOOLS)
        .map(|n| (format!("/{n}"), json!({"get": {}})))
        .collect::<serde_json::Map<_, _>>();
    assert!(read(&api(Value::Object(many)).to_string()).is_err());
    assert!(read(&format!("openapi: 3.1.0\nx: {}", "{a: ".repeat(5000))).is_err());
    let aliases = "openapi: 3.1.0\nservers: [{url: 'https://a.test'}]\npaths: {/a: {get: &a {}}, /b: {get: *a}}\n";
    assert!(read(aliases).unwrap_err().to_string().contains("anchors"));
    assert!(read(&"{\"a\":".repeat(5000)).is_err());
    let wide: Vec<Value> = (0..20_000).map(|_| json!({})).collect();
    let wide = api(
        json!({"/a": {"post": {"requestBody": {"content": {"application/json": {"schema": {"anyOf": wide}}}}}}}),
    );
    assert!(
        read(&wide.to_string()).is_err(),
        "its only operation is left out"
    );
    // A thousand operations that each refer to the same large schema.
    let fields = (0..2000)
        .map(|n| {
            (
                format!("f{n}"),
                json!({"type": "string", "description": "x".repeat(30)}),
            )
        })
        .collect::<serde_json::Map<_, _>>();
    let body = json!({"requestBody": {"content": {"application/json": {"schema": {"$ref": "#/components/schemas/Big"}}}}});
    let many = (0..TOOLS)
        .map(|n| (format!("/{n}"), json!({"post": body})))
        .collect::<serde_json::Map<_, _>>();
    let mut large = api(Value::Object(many));
    large["components"] = json!({"schemas": {"Big": {"properties": fields}}});
    assert!(read(&large.to_string()).is_err());
    assert!(
        begun.elapsed() < std::time::Duration::from_secs(60),
        "{:?}",
        begun.elapsed()
    );
}
