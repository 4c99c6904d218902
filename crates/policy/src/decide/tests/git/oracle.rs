//! A second, naive reading of git rules. A push is allowed exactly when it says so: no forbid
//! takes any of it, and one allow lets all of it through.

use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use proptest::sample::{select, subsequence};

use super::*;

/// A rule as a person would read it from its line.
#[derive(Debug, Clone)]
struct Plain {
    is_forbid: bool,
    repo: &'static str,
    access: Option<&'static str>,
    refs: Option<Vec<(&'static str, Vec<&'static str>)>>,
    denied: Option<Vec<&'static str>>,
    options: bool,
    most_refs: Option<usize>,
    observe: bool,
    approval: bool,
    authors: bool,
    expired: bool,
}

/// A push of which all is known.
#[derive(Debug, Clone)]
struct Pushed {
    repo: &'static str,
    updates: Vec<(&'static str, RefChange)>,
    file: &'static str,
    option: bool,
    finding: bool,
    is_approved: bool,
    is_ours: bool,
}

const WORDS: [&str; 4] = ["create", "fast-forward", "force", "delete"];

fn any_refs() -> impl Strategy<Value = Vec<(&'static str, Vec<&'static str>)>> {
    let words = subsequence(WORDS.to_vec(), 1..=4);
    let patterns = subsequence(
        vec![
            "refs/heads/a",
            "refs/heads/a/**",
            "refs/heads/*",
            "refs/heads/**",
        ],
        1..=2,
    );
    (patterns, vec(words, 2))
        .prop_map(|(patterns, words)| patterns.into_iter().zip(words).collect())
}

fn any_rule() -> impl Strategy<Value = Plain> {
    let repo = select(vec!["g/one", "g/two", "*/one", "**", "{g,h}/one"]);
    let access = option::of(select(vec!["read", "write"]));
    let denied = option::of(subsequence(vec!["ci/**", "*.yml"], 0..=2));
    let more = (
        any::<bool>(),
        option::of(1..3_usize),
        any::<bool>(),
        any::<bool>(),
        any::<bool>(),
    );
    let rare = (prop::bool::weighted(0.3), prop::bool::weighted(0.15));
    (repo, access, option::of(any_refs()), denied, more, rare).prop_map(
        |(
            repo,
            access,
            refs,
            denied,
            (options, most_refs, observe, approval, authors),
            (is_forbid, expired),
        )| {
            // A forbid reads as it may be written: of writing, of some changes, or of everything.
            let access = match (is_forbid, &refs) {
                (true, Some(_)) => None,
                (true, None) => access.filter(|word| *word == "write"),
                (false, _) => access,
            };
            Plain {
                is_forbid,
                repo,
                access,
                refs,
                denied,
                options,
                most_refs,
                observe,
                approval,
                authors,
                expired,
            }
        },
    )
}

fn any_push() -> impl Strategy<Value = Pushed> {
    let names = vec![
        "refs/heads/a",
        "refs/heads/a/b",
        "refs/heads/c",
        "refs/tags/v1",
        "refs/for/a",
    ];
    let changes = vec![
        RefChange::Create,
        RefChange::FastForward,
        RefChange::FastForward,
        RefChange::Force,
        RefChange::Update,
        RefChange::Delete,
    ];
    let update = (select(names), select(changes)).prop_map(|(name, change)| {
        let change = match (name.starts_with("refs/tags/"), change) {
            (true, RefChange::Create) => RefChange::TagCreate,
            (true, RefChange::Delete) => RefChange::Delete,
            (true, _) => RefChange::TagMove,
            (false, change) => change,
        };
        (name, change)
    });
    (
        select(vec!["g/one", "g/two", "h/one"]),
        vec(update, 1..3),
        select(vec!["src/a", "ci/b", "x.yml", ".gitmodules"]),
        any::<[bool; 4]>(),
    )
        .prop_map(
            |(repo, updates, file, [option, finding, is_approved, is_ours])| Pushed {
                repo,
                updates,
                file,
                option,
                finding,
                is_approved,
                is_ours,
            },
        )
}

impl Plain {
    fn line(&self) -> String {
        let mut fields = vec![format!("repo: 'github/{}'", self.repo)];
        let writes = !self.is_forbid && self.access == Some("write");
        if let Some(access) = self.access {
            fields.push(format!("access: {access}"));
        }
        if let Some(refs) = self.refs.as_ref().filter(|_| writes || self.is_forbid) {
            let refs = refs
                .iter()
                .map(|(pattern, words)| format!("'{pattern}': [{}]", words.join(", ")));
            fields.push(format!("refs: {{{}}}", refs.collect::<Vec<_>>().join(", ")));
        }
        if writes {
            if let Some(denied) = &self.denied {
                let denied: Vec<_> = denied.iter().map(|it| format!("'{it}'")).collect();
                fields.push(format!("paths: {{deny: [{}]}}", denied.join(", ")));
            }
            if let Some(most) = self.most_refs {
                fields.push(format!("limits: {{refs: {most}}}"));
            }
            fields.extend(self.options.then(|| "pushOptions: [skip]".to_owned()));
            fields.extend(self.observe.then(|| "secrets: observe".to_owned()));
            let authors = "commits: {authors: ['*@acme.test']}";
            fields.extend(self.authors.then(|| authors.to_owned()));
            fields.extend(self.approval.then(|| "approval: required".to_owned()));
        }
        fields.extend(
            self.expired
                .then(|| "expires: '2026-05-01T00:00:00Z'".to_owned()),
        );
        let effect = if self.is_forbid { "forbid" } else { "allow" };
        format!("{effect}: {{{}}}", fields.join(", "))
    }

    fn is_about(&self, repo: &str) -> bool {
        !self.expired
            && match self.repo {
                "**" => true,
                "*/one" => repo == "g/one" || repo == "h/one",
                "{g,h}/one" => repo == "g/one" || repo == "h/one",
                exact => exact == repo,
            }
    }

    /// The words of the rule for a ref.
    fn words(&self, name: &str) -> Vec<&str> {
        let default = vec![("refs/heads/**", vec!["create", "fast-forward"])];
        let refs = self.refs.as_ref().unwrap_or(&default);
        let is_about = |pattern: &str| match pattern {
            "refs/heads/a/**" => name == "refs/heads/a" || name.starts_with("refs/heads/a/"),
            "refs/heads/*" => name == "refs/heads/a" || name == "refs/heads/c",
            "refs/heads/**" => name.starts_with("refs/heads/"),
            exact => exact == name,
        };
        let about = refs.iter().filter(|(pattern, _)| is_about(pattern));
        about.flat_map(|(_, words)| words.iter().copied()).collect()
    }

    fn forbids(&self, pushed: &Pushed) -> bool {
        if !self.is_forbid || !self.is_about(pushed.repo) {
            return false;
        }
        if self.refs.is_none() {
            return true;
        }
        pushed.updates.iter().any(|(name, change)| {
            let words = self.words(name);
            match change {
                // Not proven: it may be either.
                RefChange::Update => words.contains(&"force") || words.contains(&"fast-forward"),
                known => words.contains(&known.as_str()),
            }
        })
    }

    fn allows(&self, pushed: &Pushed) -> bool {
        let lets = |(name, change): &(&str, RefChange)| {
            let words = self.words(name);
            match change {
                RefChange::Update => words.contains(&"force"),
                RefChange::FastForward => {
                    words.contains(&"fast-forward") || words.contains(&"force")
                }
                known => words.contains(&known.as_str()),
            }
        };
        let denies_file = match &self.denied {
            None => pushed.file == ".gitmodules",
            Some(denied) => denied.iter().any(|pattern| match *pattern {
                "ci/**" => pushed.file == "ci/b",
                _ => pushed.file == "x.yml",
            }),
        };
        !self.is_forbid
            && self.is_about(pushed.repo)
            && self.access == Some("write")
            && pushed.updates.iter().all(lets)
            && pushed.updates.len() <= self.most_refs.unwrap_or(32)
            && (self.options || !pushed.option)
            && !denies_file
            && (self.observe || !pushed.finding)
            && (!self.authors || pushed.is_ours)
            && (!self.approval || pushed.is_approved)
    }
}

/// What the gateway does: decides on what was sent, then judges what was found.
fn is_let_through(snapshot: &Snapshot, pushed: &Pushed) -> bool {
    let options: Vec<String> = pushed
        .option
        .then(|| "skip".to_owned())
        .into_iter()
        .collect();
    let as_sent = |(name, change): &(&str, RefChange)| {
        let sent = match change {
            RefChange::FastForward | RefChange::Force => RefChange::Update,
            known => *known,
        };
        update(name, sent)
    };
    let operation = GitOperation::Push {
        updates: pushed.updates.iter().map(as_sent).collect(),
        options: options.clone(),
        atomic: false,
    };
    let verdict = to(snapshot, &format!("github/{}", pushed.repo), operation);
    if !verdict.decision.is_allow() {
        return false;
    }
    let facts = PushFacts {
        updates: pushed
            .updates
            .iter()
            .map(|(name, change)| update(name, *change))
            .collect(),
        options,
        files: ChangedFiles::Known(vec![ChangedFile {
            path: pushed.file.as_bytes().to_vec(),
            names_filter: false,
        }]),
        commits: Some(vec![commit(if pushed.is_ours {
            "a@acme.test"
        } else {
            "a@evil.test"
        })]),
        findings: u64::from(pushed.finding),
        is_approved: pushed.is_approved,
        ..PushFacts::default()
    };
    terms(&verdict).judge(&facts).is_ok()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1_000))]

    #[test]
    fn a_push_is_allowed_exactly_when_a_naive_reading_of_the_rules_says_so(
        rules in vec(any_rule(), 1..5),
        pushed in any_push(),
    ) {
        let lines: Vec<String> = rules.iter().map(Plain::line).collect();
        let forbidden = rules.iter().any(|rule| rule.forbids(&pushed));
        let expected = !forbidden && rules.iter().any(|rule| rule.allows(&pushed));
        prop_assert_eq!(is_let_through(&git(&lines.join("\n")), &pushed), expected, "{}", lines.join("\n"));
        let reversed: Vec<String> = lines.into_iter().rev().collect();
        prop_assert_eq!(is_let_through(&git(&reversed.join("\n")), &pushed), expected);
    }

    #[test]
    fn a_fetch_is_allowed_exactly_when_some_rule_is_about_the_repository(
        rules in vec(any_rule(), 1..5),
        repo in select(vec!["g/one", "g/two", "h/one"]),
    ) {
        let lines: Vec<String> = rules.iter().map(Plain::line).collect();
        let about = |rule: &&Plain| rule.is_about(repo);
        let takes = |rule: &Plain| rule.is_forbid && rule.access.is_none() && rule.refs.is_none();
        let expected = rules.iter().filter(about).any(|rule| !rule.is_forbid)
            && !rules.iter().filter(about).any(takes);
        let found = code(&git(&lines.join("\n")), &format!("github/{repo}"), fetch());
        prop_assert_eq!(found == ReasonCode::Allowed, expected, "{}", lines.join("\n"));
    }
}
