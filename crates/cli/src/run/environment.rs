//! The environment of the agent: built from nothing. What is passed on by itself tells how to
//! print and which language to speak; nothing that is passed on by itself is a secret.

use std::collections::BTreeMap;
use std::path::Path;

use anyhow::{Result, bail};

/// The agent's variables: a few of the caller's, the gateway's, those that profiles grant, and
/// those asked for.
pub(super) fn build(
    granted: BTreeMap<String, String>,
    asked: &[String],
) -> Result<BTreeMap<String, String>> {
    let mut environment: BTreeMap<String, String> = PASSED
        .iter()
        .filter_map(|name| Some(((*name).to_owned(), std::env::var(name).ok()?)))
        .collect();
    environment.insert("PATH".to_owned(), path());
    for (name, value) in GATEWAY {
        environment.insert((*name).to_owned(), (*value).to_owned());
    }
    environment.extend(granted);
    for assignment in asked {
        let (name, value) = read(assignment)?;
        environment.insert(name, value);
    }
    Ok(environment)
}

/// Points every common client at the bundle of trusted authorities.
pub(super) fn trust(environment: &mut BTreeMap<String, String>, bundle: &Path) {
    let bundle = bundle.display().to_string();
    for name in TRUST {
        environment
            .entry((*name).to_owned())
            .or_insert_with(|| bundle.clone());
    }
}

/// Has git read its system-wide settings from `path`, wherever it was built to look.
pub(super) fn git(environment: &mut BTreeMap<String, String>, path: &Path) {
    environment
        .entry("GIT_CONFIG_SYSTEM".to_owned())
        .or_insert_with(|| path.display().to_string());
}

/// `K=V` sets, `K` passes the caller's value on.
fn read(assignment: &str) -> Result<(String, String)> {
    let (name, value) = match assignment.split_once('=') {
        Some((name, value)) => (name, value.to_owned()),
        None => match std::env::var(assignment) {
            Ok(value) => (assignment, value),
            Err(_) => {
                bail!("--env {assignment}: it is not set here; write --env {assignment}=VALUE")
            }
        },
    };
    if name.is_empty() || name.contains('\0') || value.contains('\0') {
        bail!("--env {assignment:?}: a name and a value without NUL are needed");
    }
    Ok((name.to_owned(), value))
}

/// The caller's search path without relative entries, which would mean something else inside.
fn path() -> String {
    let path = std::env::var("PATH").unwrap_or_default();
    let entries: Vec<&str> = path
        .split(':')
        .filter(|entry| entry.starts_with('/'))
        .collect();
    if entries.is_empty() {
        return DEFAULT_PATH.to_owned();
    }
    entries.join(":")
}

const PASSED: &[&str] = &[
    "HOME",
    "USER",
    "LOGNAME",
    "SHELL",
    "TERM",
    "COLORTERM",
    "NO_COLOR",
    "LANG",
    "LANGUAGE",
    "LC_ALL",
    "LC_CTYPE",
    "LC_COLLATE",
    "LC_MESSAGES",
    "LC_NUMERIC",
    "LC_TIME",
    "TZ",
    "EDITOR",
    "PAGER",
    "COLUMNS",
    "LINES",
];

/// The gateway as an explicit proxy, for clients that look for one; it captures the others.
const GATEWAY: &[(&str, &str)] = &[
    ("HTTP_PROXY", PROXY),
    ("HTTPS_PROXY", PROXY),
    ("ALL_PROXY", PROXY),
    ("http_proxy", PROXY),
    ("https_proxy", PROXY),
    ("all_proxy", PROXY),
    ("NO_PROXY", OWN),
    ("no_proxy", OWN),
    ("TMPDIR", "/tmp"),
    ("RINGFENCE", "1"),
];
const PROXY: &str = "http://198.18.0.1:3128";
/// The sandbox's own loopback needs no gateway.
const OWN: &str = "localhost,127.0.0.1,::1";

/// What OpenSSL and Go, Node, Python, git, curl, cargo, pip, Deno, the AWS and Google tools, Nix,
/// npm, gRPC and Bundler read. GnuTLS and Java read no variable; they find the bundle in the place
/// of the system's.
const TRUST: &[&str] = &[
    "SSL_CERT_FILE",
    "NODE_EXTRA_CA_CERTS",
    "REQUESTS_CA_BUNDLE",
    "GIT_SSL_CAINFO",
    "CURL_CA_BUNDLE",
    "CARGO_HTTP_CAINFO",
    "PIP_CERT",
    "DENO_CERT",
    "AWS_CA_BUNDLE",
    "NIX_SSL_CERT_FILE",
    "NPM_CONFIG_CAFILE",
    "GRPC_DEFAULT_SSL_ROOTS_FILE_PATH",
    "CLOUDSDK_CORE_CUSTOM_CA_CERTS_FILE",
    "BUNDLE_SSL_CA_CERT",
];
const DEFAULT_PATH: &str = "/usr/local/bin:/usr/bin:/bin:/usr/local/sbin:/usr/sbin:/sbin";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_named_variables_are_passed_on() {
        let environment = build(BTreeMap::new(), &["A=1=2".to_owned()]).unwrap();
        assert_eq!(environment.get("A").map(String::as_str), Some("1=2"));
        for name in environment.keys() {
            let known = PASSED.contains(&name.as_str())
                || GATEWAY.iter().any(|(known, _)| known == name)
                || ["A", "PATH"].contains(&name.as_str());
            assert!(known, "{name}");
        }
    }

    #[test]
    fn what_the_person_asks_for_counts_more_than_what_a_profile_sets() {
        let granted = |name: &str| (name.to_owned(), "profile".to_owned());
        let granted = BTreeMap::from([granted("GH_TOKEN"), granted("PAGER")]);
        let environment = build(granted, &["PAGER=cat".to_owned()]).unwrap();
        assert_eq!(
            environment.get("GH_TOKEN").map(String::as_str),
            Some("profile")
        );
        assert_eq!(environment.get("PAGER").map(String::as_str), Some("cat"));
    }

    #[test]
    fn a_variable_that_is_not_set_cannot_be_passed_on() {
        let ask = |text: &str| build(BTreeMap::new(), &[text.to_owned()]);
        assert!(ask("RINGFENCE_TEST_NOT_SET").is_err());
        assert!(ask("=x").is_err());
    }
}
