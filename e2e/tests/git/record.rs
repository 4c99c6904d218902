//! What the record says of pushes and fetches is what happened upstream.

use std::collections::BTreeMap;

use serde_json::Value;

use super::forge::Forge;

/// Every ref and what it points at.
fn refs(forge: &Forge) -> BTreeMap<String, String> {
    let format = "--format=%(refname) %(objectname)";
    let text = forge
        .server
        .git("acme/web", &["for-each-ref", format])
        .unwrap();
    let pair = |line: &str| {
        let (name, id) = line.split_once(' ').unwrap();
        (name.to_owned(), id.to_owned())
    };
    text.lines().map(pair).collect()
}

fn pushes(events: &[Value]) -> Vec<&Value> {
    let is_push = |event: &&Value| event["action"]["operation"] == "push";
    events.iter().filter(is_push).collect()
}

#[test]
fn the_record_of_pushes_is_the_difference_upstream() {
    let rules = r#"  - allow:
      id: web
      repo: github/acme/web
      access: write
      refs: { "refs/heads/agent/**": [create, fast-forward, force, delete], "refs/tags/*": [tag-create] }
      credential: forge
"#;
    let forge = Forge::with_rules(rules);
    let hook =
        "while read old new name; do case $name in */no) echo not today; exit 1;; esac; done";
    forge.server.hook("acme/web", "pre-receive", hook).unwrap();
    let before = refs(&forge);
    let (steps, ended) = forge.steps(
        "git clone -q https://github.com/acme/web.git; cd web; git checkout -q -b agent/x
         echo 1 > n; git add n; git commit -qm 1; git push -q origin agent/x agent/x:agent/y agent/x:agent/z
         echo 2 > n; git commit -qam 2; git push -q origin agent/x
         git commit -q --amend -m 3; git push -q -f origin agent/x
         git push -q origin :agent/z; git tag t; git push -q origin t
         step main git push origin HEAD:main
         step hook git push origin HEAD:agent/no",
    );
    steps["main"].assert_refused("main", &["! [remote rejected]"]);
    steps["hook"].assert_refused("hook", &["pre-receive hook declined", "not today"]);
    let mut replayed = before;
    let mut changes = Vec::new();
    for push in pushes(&ended.events) {
        assert_eq!(push["action"]["repo"], "github/acme/web");
        let results = push["closing"]["git"]["updates"].as_array();
        for (at, update) in push["action"]["updates"]
            .as_array()
            .unwrap()
            .iter()
            .enumerate()
        {
            let result = results.map_or(&Value::Null, |results| &results[at]);
            if result.is_null() || !result["refused"].is_null() {
                continue;
            }
            assert_eq!(result["name"], update["name"], "{push}");
            let text = |name: &str| update[name].as_str().unwrap().to_owned();
            let (name, old, new) = (text("name"), text("old"), text("new"));
            let known = replayed.get(&name).cloned();
            assert_eq!(known.unwrap_or_else(|| "0".repeat(40)), old, "{push}");
            changes.push(result["change"].as_str().unwrap().to_owned());
            if new.chars().all(|c| c == '0') {
                replayed.remove(&name);
            } else {
                replayed.insert(name, new);
            }
        }
    }
    assert_eq!(replayed, refs(&forge), "{ended}");
    let expected = [
        "create",
        "create",
        "create",
        "fast-forward",
        "force",
        "delete",
        "tag-create",
    ];
    assert_eq!(changes, expected, "{ended}");
}

#[test]
fn each_push_is_recorded_with_its_pack_its_credential_and_where_it_went() {
    let forge = Forge::start();
    let ended = forge.works(
        "git clone -q https://github.com/acme/web.git; cd web; git checkout -q -b agent/x
         echo 1 > n; git add n; git commit -qm 1
         git rev-parse agent/x | git -c pack.threads=1 pack-objects --revs --stdout --quiet <<< \"agent/x
^main\" > ../pack; wc -c < ../pack
         git push -q origin agent/x",
    );
    let [push] = pushes(&ended.events)[..] else {
        panic!("{ended}");
    };
    let facts = &push["closing"]["git"];
    // A commit, a tree, and a file.
    assert_eq!(facts["objects"], 3, "{push:#}");
    let octets = facts["pack_octets"].as_u64().unwrap();
    assert!((100..5000).contains(&octets), "{push:#}");
    let whole = push.to_string();
    assert!(whole.contains("\"forge\""), "{push:#}");
    let upstream = push["closing"]["upstream"]["address"].as_str();
    assert_eq!(
        upstream,
        Some(forge.server.https().to_string().as_str()),
        "{push:#}"
    );
    let operations: Vec<&str> = ended
        .events
        .iter()
        .filter_map(|event| event["action"]["operation"].as_str())
        .collect();
    for operation in ["discover", "list-refs", "fetch", "push"] {
        assert!(operations.contains(&operation), "{operations:?}");
    }
    for event in ended
        .events
        .iter()
        .filter(|event| event["action"]["operation"] == "fetch")
    {
        assert_eq!(event["action"]["repo"], "github/acme/web", "{event:#}");
        assert_eq!(event["action"]["wants"], 2, "{event:#}");
    }
}

#[test]
fn a_refused_push_is_recorded_with_its_reason() {
    let forge = Forge::start();
    let (_, ended) = forge.steps(
        "git clone -q https://github.com/acme/web.git; cd web
         echo 1 > n; git add n; git commit -qm 1; step main git push origin HEAD:main
         echo e >> .github/workflows/ci.yml; git commit -qam e; step workflow git push origin HEAD:agent/x
         step docs git push https://github.com/acme/docs.git HEAD:agent/x
         step unknown git ls-remote https://github.com/acme/unknown.git",
    );
    let codes: Vec<String> = ended.codes();
    for code in [
        "ref-not-allowed",
        "content-refused",
        "access-not-allowed",
        "no-rule",
    ] {
        assert!(codes.iter().any(|known| known == code), "{code}: {ended}");
    }
}
