//! Presets: profiles with blanks, for services that many people use. Filling one in gives a
//! profile as text, which a person reads, keeps and changes like any other.
//!
//! The documents are in `preset/`. A line that starts with `#@` is for this module: `about` and
//! `set` describe the preset (`hosts` is a `set` whose items may be `*.zone`), `each ITEM in LIST` … `end` repeats the lines between. `{{name}}` is
//! the value of a setting; `{{name|id}}`, `{{name|owner}}`, `{{name|name}}`, `{{name|list}}` and, in
//! a pattern, `{{name|regex}}` are forms of it.

use std::collections::BTreeMap;
use std::fmt::Write as _;

/// A profile with blanks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Preset {
    /// Its name, which is that of the profile as well.
    pub name: &'static str,
    /// What it is for, in a sentence.
    pub about: &'static str,
    /// Its blanks.
    pub settings: Vec<PresetSetting>,
    lines: Vec<&'static str>,
}

/// A blank of a preset.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PresetSetting {
    /// Its name.
    pub name: &'static str,
    /// What it has where nothing is said; `{{name}}` is what another setting has.
    pub default: Option<&'static str>,
    /// What it means, in a sentence.
    pub about: &'static str,
    /// Whether its items may be patterns for hosts.
    takes_hosts: bool,
}

/// Why a preset was not filled in.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PresetError {
    /// There is no such setting.
    #[error("the preset has no setting `{0}`; it has {1}")]
    Unknown(String, String),
    /// A setting that has no default was not given.
    #[error("the setting `{0}` is missing: {1}")]
    Missing(&'static str, &'static str),
    /// A value that could mean something else in a document.
    #[error(
        "the value of `{0}` may have letters, digits and any of `. _ - / @ : +`, at most {VALUE_OCTETS} in all"
    )]
    Value(&'static str),
}

/// Longest value of a setting, or of one item of it.
const VALUE_OCTETS: usize = 200;

const DOCUMENTS: [(&str, &str); 5] = [
    ("github-pr", include_str!("preset/github-pr.yaml")),
    ("azure-devops", include_str!("preset/azure-devops.yaml")),
    ("salesforce", include_str!("preset/salesforce.yaml")),
    ("azure-read", include_str!("preset/azure-read.yaml")),
    (
        "package-registries",
        include_str!("preset/package-registries.yaml"),
    ),
];

impl Preset {
    /// All of them.
    #[must_use]
    pub fn all() -> Vec<Self> {
        DOCUMENTS
            .iter()
            .map(|(name, document)| Self::read(name, document))
            .collect()
    }

    /// The one of that name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        let (name, document) = DOCUMENTS.iter().find(|(known, _)| *known == name)?;
        Some(Self::read(name, document))
    }

    /// The profile with these settings, as text. It is a valid document whatever the values are.
    ///
    /// # Errors
    /// Where a setting is unknown, missing, or has a value that no setting has.
    pub fn fill(&self, given: &BTreeMap<String, String>) -> Result<String, PresetError> {
        self.check_names(given)?;
        let mut values = BTreeMap::new();
        for setting in &self.settings {
            let value = given.get(setting.name).map(String::as_str);
            let default = || setting.default.map(|it| same_as(it, &values).unwrap_or(it));
            let value = value
                .or_else(default)
                .ok_or(PresetError::Missing(setting.name, setting.about))?;
            let items: Vec<&str> = value.split(',').map(str::trim).collect();
            let plain = |item: &&str| match item.strip_prefix("*.") {
                Some(zone) if setting.takes_hosts => is_plain(zone),
                _ => is_plain(item),
            };
            if !items.iter().all(plain) {
                return Err(PresetError::Value(setting.name));
            }
            values.insert(setting.name, items.join(","));
        }
        Ok(self.write(&values))
    }

    fn check_names(&self, given: &BTreeMap<String, String>) -> Result<(), PresetError> {
        let known = || self.settings.iter().map(|setting| setting.name);
        match given.keys().find(|name| !known().any(|it| it == *name)) {
            None => Ok(()),
            Some(name) => {
                let known = known().collect::<Vec<_>>().join(", ");
                Err(PresetError::Unknown(name.clone(), known))
            }
        }
    }

    fn read(name: &'static str, document: &'static str) -> Self {
        let mut preset = Self {
            name,
            about: "",
            settings: Vec::new(),
            lines: Vec::new(),
        };
        for line in document.lines() {
            if let Some(about) = line.strip_prefix("#@ about ") {
                preset.about = about;
            } else if let Some((word, setting)) = setting(line) {
                let (name, about) = setting.split_once(' ').unwrap_or((setting, ""));
                let (name, default) = match name.split_once('=') {
                    Some((name, default)) => (name, Some(default)),
                    None => (name, None),
                };
                preset.settings.push(PresetSetting {
                    name,
                    default,
                    about,
                    takes_hosts: word == "hosts",
                });
            } else {
                preset.lines.push(line);
            }
        }
        preset
    }

    fn write(&self, values: &BTreeMap<&str, String>) -> String {
        let mut text = String::new();
        let mut lines = self.lines.iter();
        while let Some(line) = lines.next() {
            let Some((item, list)) = repetition(line) else {
                write_line(line, values, &mut text);
                continue;
            };
            let repeated: Vec<&str> = lines
                .by_ref()
                .copied()
                .take_while(|line| *line != "#@ end")
                .collect();
            let items = values.get(list).map_or("", String::as_str);
            for value in items.split(',') {
                let mut values = values.clone();
                values.insert(item, value.to_owned());
                for line in &repeated {
                    write_line(line, &values, &mut text);
                }
            }
        }
        text
    }
}

/// The value of the setting before that a default names, as in `{{hosts}}`.
fn same_as<'v>(default: &str, values: &'v BTreeMap<&str, String>) -> Option<&'v str> {
    let name = default.strip_prefix("{{")?.strip_suffix("}}")?;
    values.get(name).map(String::as_str)
}

/// A line that describes a setting.
fn setting(line: &str) -> Option<(&str, &str)> {
    let (word, setting) = line.strip_prefix("#@ ")?.split_once(' ')?;
    matches!(word, "set" | "hosts").then_some((word, setting))
}

fn repetition(line: &str) -> Option<(&str, &str)> {
    line.strip_prefix("#@ each ")?.split_once(" in ")
}

fn write_line(line: &str, values: &BTreeMap<&str, String>, text: &mut String) {
    let mut rest = line;
    while let Some((before, opened)) = rest.split_once("{{") {
        let (blank, after) = opened.split_once("}}").unwrap_or((opened, ""));
        let (name, form) = blank.split_once('|').unwrap_or((blank, ""));
        let value = values.get(name).map_or("", String::as_str);
        let _ = write!(text, "{before}{}", formed(value, form));
        rest = after;
    }
    let _ = writeln!(text, "{rest}");
}

/// A value in the form that a blank asks for.
fn formed(value: &str, form: &str) -> String {
    let (owner, name) = value.split_once('/').unwrap_or(("", value));
    match form {
        "owner" => owner.to_owned(),
        "name" => name.to_owned(),
        // Items are plain, so that nothing of them ends the quotes.
        "list" => format!("\"{}\"", value.replace(',', "\", \"")),
        "regex" => value.replace('.', "\\.").replace('+', "\\+"),
        "id" => value.to_lowercase().replace(['/', '@', ':', '+', '_'], "-"),
        _ => value.to_owned(),
    }
}

/// Nothing that has a meaning in YAML, in a path pattern or in a regular expression but the dot.
fn is_plain(value: &str) -> bool {
    let allowed = |octet: u8| octet.is_ascii_alphanumeric() || b"._-/@:+".contains(&octet);
    let starts_well = value.starts_with(|first: char| first.is_ascii_alphanumeric());
    starts_well && value.len() <= VALUE_OCTETS && value.bytes().all(allowed)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::document::Profile;
    use crate::review::run_tests;

    fn settings(values: &[(&str, &str)]) -> BTreeMap<String, String> {
        let pair = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
        values.iter().map(pair).collect()
    }

    fn samples() -> Vec<(&'static str, BTreeMap<String, String>)> {
        vec![
            ("github-pr", settings(&[("repos", "acme/web, Acme/api_2")])),
            (
                "azure-devops",
                settings(&[
                    ("organization", "acme"),
                    ("project", "shop"),
                    ("repos", "web"),
                ]),
            ),
            (
                "salesforce",
                settings(&[("host", "acme.my.salesforce.com")]),
            ),
            (
                "azure-read",
                settings(&[("subscriptions", "0b1f6471-1bf0-4dda-aec3-cb9272f09590")]),
            ),
            (
                "package-registries",
                settings(&[("hosts", "npm.acme.test,pypi.acme.test")]),
            ),
        ]
    }

    #[test]
    fn every_preset_is_a_valid_profile_that_passes_its_own_tests() {
        assert_eq!(samples().len(), Preset::all().len());
        for (name, settings) in samples() {
            let preset = Preset::named(name).unwrap();
            assert!(!preset.about.is_empty(), "{name}");
            let text = preset.fill(&settings).unwrap();
            assert!(!text.contains("{{") && !text.contains("#@"), "{text}");
            let profiles = Profile::parse(name, &text).unwrap();
            assert_eq!(profiles[0].name.as_str(), name);
            let outcomes = run_tests(&profiles, jiff::Timestamp::UNIX_EPOCH).unwrap();
            assert!(!outcomes.is_empty());
            for outcome in outcomes {
                assert!(outcome.passed, "{name}: {outcome}");
            }
        }
    }

    #[test]
    fn a_value_cannot_be_anything_but_a_value() {
        let preset = Preset::named("salesforce").unwrap();
        for bad in [
            "",
            "a b",
            "a\nforbid: x",
            "a\"",
            "*.x",
            "{a}",
            "a,",
            "#a",
            "-a",
        ] {
            let filled = preset.fill(&settings(&[("host", bad)]));
            assert_eq!(filled, Err(PresetError::Value("host")), "{bad}");
        }
        let preset = Preset::named("package-registries").unwrap();
        for bad in [
            "*",
            "*.",
            "**.x",
            "x.*",
            "a.test, *.\"x",
            "a\"",
            "[a]",
            "*.*.x",
        ] {
            let given = settings(&[("hosts", "npm.acme.test"), ("downloads", bad)]);
            let filled = preset.fill(&given);
            assert_eq!(filled, Err(PresetError::Value("downloads")), "{bad}");
        }
    }

    #[test]
    fn redirects_of_registries_are_followed_to_the_named_hosts_or_to_the_registries() {
        let preset = Preset::named("package-registries").unwrap();
        let hosts = ("hosts", "npm.acme.test,pypi.acme.test");
        for (given, expected) in [
            (
                vec![hosts],
                "hosts: [\"npm.acme.test\", \"pypi.acme.test\"]",
            ),
            (
                vec![hosts, ("downloads", "f.test, *.cdn.acme.test")],
                "hosts: [\"f.test\", \"*.cdn.acme.test\"]",
            ),
        ] {
            let text = preset.fill(&settings(&given)).unwrap();
            assert_eq!(text.matches(expected).count(), 2, "{text}");
            Profile::parse("x", &text).unwrap();
        }
    }

    #[test]
    fn a_setting_that_is_missing_or_unknown_is_named() {
        let preset = Preset::named("github-pr").unwrap();
        let missing = preset.fill(&BTreeMap::new()).unwrap_err();
        assert!(
            missing
                .to_string()
                .starts_with("the setting `repos` is missing")
        );
        let given = settings(&[("repos", "a/b"), ("repo", "a/b")]);
        let unknown = preset.fill(&given).unwrap_err().to_string();
        assert!(unknown.contains("repos, credential, branches"), "{unknown}");
    }
}
