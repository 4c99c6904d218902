//! The built-in profiles: documents like any other, in `builtin/`, each with its own tests.

use super::Profile;

const DOCUMENTS: [(&str, &str); 8] = [
    ("offline", include_str!("builtin/offline.yaml")),
    ("coding-agent", include_str!("builtin/coding-agent.yaml")),
    ("package-build", include_str!("builtin/package-build.yaml")),
    ("observe", include_str!("builtin/observe.yaml")),
    ("claude-code", include_str!("builtin/claude-code.yaml")),
    ("codex", include_str!("builtin/codex.yaml")),
    ("gemini-cli", include_str!("builtin/gemini-cli.yaml")),
    ("opencode", include_str!("builtin/opencode.yaml")),
];

pub(super) const NAMES: &[&str] = &[
    "offline",
    "coding-agent",
    "package-build",
    "observe",
    "claude-code",
    "codex",
    "gemini-cli",
    "opencode",
];

pub(super) fn profile(name: &str) -> Option<Profile> {
    // A built-in document that is not valid would be a missing profile; the tests read all.
    Profile::parse(name, source(name)?).ok()?.into_iter().next()
}

pub(super) fn source(name: &str) -> Option<&'static str> {
    let (_, text) = DOCUMENTS.iter().find(|(known, _)| *known == name)?;
    Some(text)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::review::run_tests;

    #[test]
    fn every_builtin_profile_is_valid_and_passes_its_own_tests() {
        assert_eq!(NAMES.len(), DOCUMENTS.len());
        for (name, text) in DOCUMENTS {
            assert!(NAMES.contains(&name));
            let profiles = Profile::parse(name, text).unwrap();
            let [profile] = profiles.as_slice() else {
                panic!("{name} holds one profile");
            };
            assert_eq!(profile.name.as_str(), name);
            assert!(profile.description.is_some());
            assert!(!profile.tests.is_empty());
            let outcomes = run_tests(&profiles, jiff::Timestamp::UNIX_EPOCH).unwrap();
            for outcome in outcomes {
                assert!(outcome.passed, "{outcome}");
            }
        }
    }

    #[test]
    fn a_coding_agent_may_build_what_a_package_build_may() {
        let agent = profile("coding-agent").unwrap();
        for rule in profile("package-build").unwrap().network {
            assert!(agent.network.contains(&rule), "{}", rule.to_line());
        }
    }

    #[test]
    fn offline_and_observe_allow_nothing() {
        for name in ["offline", "observe"] {
            assert!(profile(name).unwrap().network.is_empty());
        }
    }

    #[test]
    fn an_unknown_name_is_no_profile() {
        assert_eq!(Profile::builtin("everything"), None);
    }
}
