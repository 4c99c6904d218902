//! The classifier against what hides an operation: batches, persisted queries, aliases, fragments,
//! variables, several operations, and text that costs more than it shows.

use super::*;
use proptest::prelude::*;

fn operation(query: &str, variables: Value) -> Result<GraphqlOperation, GraphqlError> {
    read(&json!({"query": query, "variables": variables})).map(|request| request.operation)
}

fn roots(query: &str) -> Vec<String> {
    let operation = operation(query, json!({})).unwrap();
    operation.fields.into_iter().map(|it| it.name).collect()
}

#[test]
fn the_query_of_a_real_client_is_understood() {
    let query = "query RepositoryInfo($owner: String!, $name: String!) {
        repository(owner: $owner, name: $name) { ...repo }
    }
    fragment repo on Repository { id name owner { login } hasIssuesEnabled description }";
    let variables = json!({"owner": "acme", "name": "web"});
    let found = operation(query, variables.clone()).unwrap();
    assert_eq!(found.kind, GraphqlKind::Query);
    assert_eq!(found.name.as_deref(), Some("RepositoryInfo"));
    assert_eq!(found.fields[0].arguments, variables);
    assert_eq!((found.depth, found.size), (3, 7));
    let steps = [
        "owner.login",
        "repository.description",
        "repository.hasIssuesEnabled",
        "repository.id",
        "repository.name",
        "repository.owner",
    ];
    assert_eq!(found.selected, steps);
}

#[test]
fn an_alias_does_not_hide_a_field() {
    assert_eq!(
        roots("{ viewer: deleteEverything viewer2: viewer { login } }"),
        ["deleteEverything", "viewer"]
    );
}

#[test]
fn fragments_at_the_root_are_root_fields() {
    let query = "mutation { ...A ... on Mutation { mergePullRequest { x } } ... { addStar { y } } }
        fragment A on Mutation { createRef { z } ...B }
        fragment B on Mutation { deleteRef { z } }";
    let mut found = roots(query);
    found.sort_unstable();
    assert_eq!(
        found,
        ["addStar", "createRef", "deleteRef", "mergePullRequest"]
    );
}

#[test]
fn a_fragment_is_reached_into_at_the_root_and_below_it() {
    let query = "{ ...A a { ...A } } fragment A on Query { secret { inner } }";
    let found = operation(query, json!({})).unwrap();
    assert_eq!(found.selected, ["a.secret", "secret.inner"]);
}

#[test]
fn directives_hide_nothing() {
    let query = "query($no: Boolean!) { a @skip(if: true) { x } b @include(if: $no) { x } }";
    assert_eq!(roots(query), ["a", "b"]);
}

#[test]
fn variables_defaults_and_literals_are_arguments() {
    let query = r#"mutation($a: ID = "one", $b: In, $c: Int) {
        f(a: $a, input: {id: $b, list: [$a, RED, 2, 1.5, null]}, gone: $c) { x } }"#;
    let found = operation(query, json!({"b": {"deep": true}})).unwrap();
    assert_eq!(
        found.fields[0].arguments,
        json!({
            "a": "one",
            "input": {"id": {"deep": true}, "list": ["one", "RED", 2, 1.5, null]},
        })
    );
}

#[test]
fn a_large_variable_is_not_copied_without_end() {
    let large = json!({"v": "x".repeat(500_000)});
    assert!(operation("query($v: S) { a(x: [$v $v $v]) }", large.clone()).is_ok());
    for uses in [
        "[$v $v $v $v $v $v]",
        "{a: $v, b: [$v, $v, {c: $v}], d: $v}",
    ] {
        let query = format!("query($v: S) {{ a(x: {uses}) b(x: $v) }}");
        assert!(matches!(
            operation(&query, large.clone()),
            Err(GraphqlError::Expansion(_))
        ));
    }
    let many = format!("query($v: S) {{ a(x: [{}]) }}", "$v ".repeat(20_000));
    assert!(operation(&many, json!({"v": "x".repeat(400)})).is_err());
    assert!(operation(&many, json!({})).is_ok());
}

#[test]
fn only_the_operation_that_runs_counts_and_it_must_be_clear_which() {
    let query = "query A { a { x } } mutation B { b { x } }";
    let named = |name: &str| read(&json!({"query": query, "operationName": name}));
    assert_eq!(named("B").unwrap().operation.kind, GraphqlKind::Mutation);
    assert_eq!(named("A").unwrap().operation.fields[0].name, "a");
    assert_eq!(named("C"), Err(GraphqlError::Operation));
    assert_eq!(named(""), Err(GraphqlError::Operation));
    assert_eq!(operation(query, json!({})), Err(GraphqlError::Operation));
    let twice = "query A { a { x } } query A { b { x } }";
    let body = json!({"query": twice, "operationName": "A"});
    assert_eq!(read(&body), Err(GraphqlError::Operation));
}

#[test]
fn what_is_not_one_query_in_the_open_is_refused() {
    let persisted = json!({"extensions": {"persistedQuery": {"sha256Hash": "x"}}});
    for (body, expected) in [
        (
            json!([{"query": "{a}"}, {"query": "{b}"}]),
            GraphqlError::Batch,
        ),
        (persisted, GraphqlError::Persisted),
        (json!({"query": "{a}", "id": "x"}), GraphqlError::Persisted),
        (json!({"queryId": "x"}), GraphqlError::Persisted),
    ] {
        assert_eq!(read(&body), Err(expected), "{body}");
    }
    for body in [
        json!({}),
        json!("{a}"),
        json!({"query": 1}),
        json!({"query": "{a}", "variables": []}),
        json!({"query": "{a}", "operationName": 1}),
        json!({"query": "{a}", "more": 1}),
        json!({"query": ""}),
        json!({"query": "{"}),
        json!({"query": "{a(x: $undeclared)}"}),
        json!({"query": "{a(x: 1, x: 2)}"}),
        json!({"query": "query($v: ID, $v: ID) {a}"}),
        json!({"query": "{...Missing}"}),
        json!({"query": "fragment A on Q {a}"}),
        json!({"query": "{...A} fragment A on Q {a} fragment A on Q {b}"}),
        json!({"query": "{a(x: 99999999999999999999)}"}),
        json!({"query": "{ a(x: \"\"\"\n  b\n\u{3000}c\"\"\") }"}),
    ] {
        assert!(read(&body).is_err(), "{body}");
    }
}

#[test]
fn a_literal_that_cannot_be_written_in_one_way_is_refused_wherever_it_stands() {
    let texts = [
        r#""a\nb""#,
        r#""\r""#,
        r#""\u0000""#,
        r#""\u007f""#,
        "\"\"\"a\nb\"\"\"",
        r#""a  #\n\u2028a\t""#,
        "1e999",
    ];
    for literal in texts {
        for query in [
            format!("{{ f(x: {literal}) }}"),
            format!("{{ f @d(x: [{{y: {literal}}}]) }}"),
            format!("{{ g {{ f(x: {literal}) }} }}"),
            format!("query($v: S = {literal}) {{ f }}"),
            format!("query A {{ f }} query B {{ f(x: {literal}) }}"),
            format!("query A {{ f }} fragment F on Q {{ f(x: {literal}) }}"),
        ] {
            let name = query.contains("query A").then_some("A");
            let body = json!({"query": query, "operationName": name});
            assert!(read(&body).is_err(), "{query}");
        }
    }
    let query = r#"{ f(x: "ä \" \\ \u00e9 …", y: 2.5, z: -3) }"#;
    let plain = operation(query, json!({})).unwrap();
    assert_eq!(plain.fields[0].arguments["x"], "ä \" \\ é …");
}

#[test]
fn fragments_in_a_circle_are_refused() {
    for query in [
        "{ ...A } fragment A on Q { a { ...A } }",
        "{ ...A } fragment A on Q { ...B } fragment B on Q { ...A }",
        "{ x { ...A } } fragment A on Q { b { ...B } } fragment B on Q { c { ...A } }",
    ] {
        assert!(operation(query, json!({})).is_err(), "{query}");
    }
}

#[test]
fn fragments_that_multiply_are_counted_and_cost_nothing() {
    let mut query = "{ r { ...F0 } }".to_owned();
    for number in 0..40 {
        let next = number + 1;
        query += &format!(" fragment F{number} on T {{ a {{ ...F{next} }} b {{ ...F{next} }} }}");
    }
    query += " fragment F40 on T { end }";
    let found = operation(&query, json!({})).unwrap();
    assert_eq!(found.size, u32::MAX);
    assert_eq!(found.depth, 42);
}

#[test]
fn a_long_selection_that_is_spread_in_many_places_is_bounded() {
    let parents = (0..1000).map(|it| format!("p{it} {{ ...F }} "));
    let query = format!(
        "{{ r {{ {} }} }} fragment F on T {{ {} }}",
        parents.collect::<String>(),
        "a ".repeat(10_000)
    );
    assert!(operation(&query, json!({})).is_err());
}

#[test]
fn nesting_and_width_are_bounded() {
    let deep = format!("{}a{}", "{a".repeat(200), "}".repeat(200));
    assert!(operation(&deep, json!({})).is_err());
    let list = format!("{{a(x: {}{})}}", "[".repeat(200), "]".repeat(200));
    assert!(operation(&list, json!({})).is_err());
    let wide = (0..100).map(|it| format!("f{it} "));
    let wide = format!("{{{}}}", wide.collect::<String>());
    assert!(operation(&wide, json!({})).is_err());
}

#[test]
fn what_goes_on_says_what_was_read() {
    let query = "# a comment\nmutation M($i: In!) { x: createPullRequest(input: $i) \
                 { pullRequest { url } } }";
    let body = json!({"query": query, "variables": {"i": {"title": "\"t\""}}, "extensions": {}});
    let request = read(&body).unwrap();
    let again = read(&request.body).unwrap();
    assert_eq!(again.operation, request.operation);
    assert_eq!(request.body["variables"], body["variables"]);
    let query = request.body["query"].as_str().unwrap();
    assert!(!query.contains("comment"), "{query}");
}

proptest! {
    #[test]
    fn no_text_breaks_it(query in r#"[{}()\[\]:$"\\.@!a-c0-9 \n#|&=-]{0,60}"#) {
        let _ = operation(&query, json!({"a": 1}));
    }

    #[test]
    fn what_was_read_is_read_again(
        kind in "query|mutation",
        fields in proptest::collection::vec("[a-z]{1,6}", 1..5),
        text in any::<String>(),
        literal in "[ -~äé\u{2028}\u{3000}\n\t\\\\]{0,20}",
    ) {
        // Whatever the literal is: read, or refused, and never a panic.
        let inline = format!("{{ f(x: {}) }}", json!(literal));
        if let Ok(request) = read(&json!({"query": inline})) {
            prop_assert_eq!(&request.operation.fields[0].arguments["x"], &json!(literal));
            prop_assert_eq!(&read(&request.body).unwrap().operation, &request.operation);
        }
        let body: String = fields.iter().map(|field| format!("{field}(t: $t, u: {}) {{ id }} ", json!("x"))).collect();
        let request = read(&json!({
            "query": format!("{kind} Q($t: String) {{ {body} }}"),
            "variables": {"t": text},
        })).unwrap();
        prop_assert_eq!(&read(&request.body).unwrap().operation, &request.operation);
        prop_assert_eq!(request.operation.fields.len(), fields.len());
    }
}
