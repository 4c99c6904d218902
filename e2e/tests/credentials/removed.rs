//! Tokens that an upstream gives out itself: what a rule removes does not arrive, in whatever form it is asked for.

use std::fs;

use ringfence_testkit::api::ApiResponse;
use ringfence_testkit::github::HELD;

use super::desk::Desk;

const WORK: &str = r#"
ask() { name=$1; shift; curl -sS -o "$name" -w "$name %{http_code} %{content_type}\n" -H "Authorization: Bearer $GH_TOKEN" "$@"; }
U=https://api.github.com/repos/acme/web
ask repository $U
ask directory $U/contents
ask file $U/contents/a.md
ask listed -H 'Accept: application/vnd.github.raw+json' $U/contents
ask raw -H 'Accept: application/vnd.github.raw+json' $U/contents/a.md
ask rendered -H 'Accept: application/vnd.github.html+json' $U/contents/a.md
ask diff -H 'Accept: application/vnd.github.diff' $U/pulls/1
ask packed --compressed $U
ask head -I $U
"#;

#[test]
fn the_tokens_in_the_answers_of_github_do_not_arrive() {
    let mut desk = Desk::new();
    let github = desk.github();
    let ended = desk.host.run().profile("github-pr").sh(WORK);
    for name in [
        "repository",
        "directory",
        "file",
        "listed",
        "raw",
        "diff",
        "packed",
        "head",
    ] {
        let passed = format!("{name} 200 ");
        assert!(ended.stdout.contains(&passed), "{name}: {ended}");
    }
    // What is rendered is no JSON, whatever its type says.
    let rendered = fs::read_to_string(desk.host.project().join("rendered")).unwrap_or_default();
    assert!(!rendered.contains("img"), "{ended}");
    assert_eq!(desk.read("raw"), "# Web\n");
    assert_eq!(desk.read("diff"), "diff --git a/a b/a\n");
    let repository: serde_json::Value = serde_json::from_str(&desk.read("repository")).unwrap();
    assert_eq!(repository["temp_clone_token"], serde_json::Value::Null);
    assert_eq!(repository["full_name"], "acme/web");
    let directory: serde_json::Value = serde_json::from_str(&desk.read("directory")).unwrap();
    let url = "https://raw.githubusercontent.com/acme/web/main/a.md";
    assert_eq!(directory[0]["download_url"], url);
    assert_eq!(desk.read("directory"), desk.read("listed"));
    desk.assert_not_inside(&HELD);
    assert!(github.requests().len() >= 9, "{ended}");
    for held in HELD {
        assert!(!ended.to_string().contains(held), "{held}: {ended}");
    }
}

#[test]
fn what_cannot_be_read_for_a_removal_does_not_arrive() {
    let mut desk = Desk::new();
    let answers = [
        ("text", "text/plain", "{\"token\":\"SECRET-OF-THE-API\"}"),
        ("none", "", "{\"token\":\"SECRET-OF-THE-API\"}"),
        (
            "utf16",
            "application/json; charset=utf-16",
            "{\"token\":\"SECRET-OF-THE-API\"}",
        ),
        (
            "broken",
            "application/json",
            "{'token':'SECRET-OF-THE-API'}",
        ),
        (
            "second",
            "application/json",
            "{}{\"token\":\"SECRET-OF-THE-API\"}",
        ),
        (
            "sound",
            "application/json",
            "{\"\\u0074oken\":\"SECRET-OF-THE-API\",\"a\":1}",
        ),
        (
            "problem",
            "application/problem+json",
            "{\"token\":\"SECRET-OF-THE-API\"}",
        ),
    ];
    let _api = desk.api("api.acme.test", move |request| {
        let name = request.path.trim_start_matches('/');
        let found = answers.iter().find(|(known, ..)| *known == name);
        let Some((_, media, body)) = found else {
            return ApiResponse::new(204, "");
        };
        match *media {
            "" => ApiResponse::new(200, *body),
            media => ApiResponse::new(200, *body).with("Content-Type", media),
        }
    });
    desk.acme("response: { remove: [token] }");
    let ended = desk.host.run().profile("api").sh(
        "for name in text none utf16 broken second sound problem empty; do
             curl -sS -o $name https://api.acme.test/$name
             echo $name $?
         done",
    );
    assert_eq!(desk.read("sound"), "{\"\\u0074oken\":null,\"a\":1}");
    assert_eq!(desk.read("problem"), "{\"token\":null}");
    assert!(ended.stdout.contains("empty 0\n"), "{ended}");
    desk.assert_not_inside(&["SECRET-OF-THE-API"]);
    let project = fs::read_dir(desk.host.project()).unwrap().count();
    assert!(project >= 4, "{ended}");
}
