//! What a line says of a git request: the repository, each ref with its objects, what was pushed.

use ringfence_model::git::{GitFacts, GitOperation, GitRequest, Oid, RefChange, RefUpdate};

/// The request, with what is known of its refs in the end.
pub(super) fn request(request: &GitRequest, facts: Option<&GitFacts>) -> String {
    let GitOperation::Push { updates, .. } = &request.operation else {
        return request.to_string();
    };
    let proven = |update: &RefUpdate| {
        let results = facts
            .map(|facts| facts.updates.as_slice())
            .unwrap_or_default();
        let result = results.iter().find(|result| result.name == update.name);
        result.map_or(update.change, |result| result.change)
    };
    let shown = updates.iter().take(SHOWN);
    let mut parts: Vec<_> = shown.map(|it| update(it, proven(it))).collect();
    let more = updates.len().saturating_sub(SHOWN);
    if more > 0 {
        parts.push(format!("and {more} more"));
    }
    format!("git push to {}: {}", request.repo, parts.join(", "))
}

fn update(update: &RefUpdate, change: RefChange) -> String {
    let objects = match (update.old.is_null(), update.new.is_null()) {
        (true, _) => short(&update.new),
        (false, true) => short(&update.old),
        (false, false) => format!("{}..{}", short(&update.old), short(&update.new)),
    };
    format!("{} {} {objects}", change.as_str(), update.name)
}

fn short(oid: &Oid) -> String {
    oid.to_string().chars().take(DIGITS).collect()
}

/// What was in a push, and what was found there.
pub(super) fn facts(facts: &GitFacts) -> String {
    let mut text = String::new();
    if let Some(octets) = facts.pack_octets {
        text.push_str(&format!(", pack of {octets} octets"));
    }
    if let Some(objects) = facts.objects {
        text.push_str(&format!(", {objects} objects"));
    }
    if !facts.findings.is_empty() {
        let shown: Vec<_> = facts.findings.iter().take(SHOWN).cloned().collect();
        text.push_str(&format!(", found {}", shown.join("; ")));
        let more = facts.findings.len().saturating_sub(SHOWN);
        if more > 0 {
            text.push_str(&format!(" and {more} more"));
        }
    }
    text
}

/// Digits of an object's name.
const DIGITS: usize = 8;
/// Refs and findings that a line names.
const SHOWN: usize = 4;

#[cfg(test)]
mod tests {
    use ringfence_model::git::RefResult;

    use super::*;

    fn pushed(updates: &str) -> GitRequest {
        let text = format!(
            r#"{{"destination":{{"host":"github.com","port":443}},"repo":"github/acme/web",
                "operation":"push","updates":[{updates}]}}"#
        );
        serde_json::from_str(&text).unwrap()
    }

    fn one(name: &str, old: char, new: char, change: &str) -> String {
        let oid = |digit: char| digit.to_string().repeat(40);
        let (old, new) = (oid(old), oid(new));
        format!(r#"{{"name":"{name}","old":"{old}","new":"{new}","change":"{change}"}}"#)
    }

    #[test]
    fn each_ref_has_its_objects_and_what_was_proven_of_it() {
        let updates = [
            one("refs/heads/a", '0', '2', "create"),
            one("refs/heads/b", '1', '2', "update"),
            one("refs/heads/c", '1', '0', "delete"),
        ];
        let asked = pushed(&updates.join(","));
        assert_eq!(
            request(&asked, None),
            "git push to github/acme/web: create refs/heads/a 22222222, update refs/heads/b 11111111..22222222, delete refs/heads/c 11111111"
        );
        let proven = GitFacts {
            updates: vec![RefResult {
                name: "refs/heads/b".to_owned().try_into().unwrap(),
                change: RefChange::FastForward,
                refused: None,
            }],
            ..GitFacts::default()
        };
        let line = request(&asked, Some(&proven));
        assert!(
            line.contains("fast-forward refs/heads/b 11111111..22222222"),
            "{line}"
        );
        let many: Vec<_> = (0..6)
            .map(|at| one(&format!("refs/heads/{at}"), '0', '1', "create"))
            .collect();
        assert!(request(&pushed(&many.join(",")), None).ends_with("and 2 more"));
    }

    #[test]
    fn what_was_pushed_and_found_is_said() {
        let found = GitFacts {
            pack_octets: Some(300),
            objects: Some(3),
            findings: vec!["src/key:1: private-key".to_owned()],
            ..GitFacts::default()
        };
        assert_eq!(
            facts(&found),
            ", pack of 300 octets, 3 objects, found src/key:1: private-key"
        );
        assert_eq!(facts(&GitFacts::default()), "");
    }
}
