//! Which capabilities a client is shown.

use ringfence_model::git::GitService;

use crate::wire::words;

/// What a client is offered for a push, beyond what it always is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Offer {
    /// Whether it may send push options.
    pub push_options: bool,
    /// Whether it may delete refs.
    pub deletes: bool,
    /// Whether it is asked for packs that need nothing beside them, as one must be that is read.
    pub no_thin: bool,
}

impl Offer {
    /// A capability of protocol 0 and 1 as it is relayed, if it is.
    pub(super) fn legacy(self, service: GitService, word: &str) -> Option<String> {
        let (name, value) = words::split(word);
        let is_kept = match (name, value) {
            ("agent", Some(agent)) => words::is_agent(agent),
            ("object-format", Some(_)) => true,
            ("symref", Some(_)) => service == GitService::UploadPack && is_visible(word),
            ("push-options", None) => service == GitService::ReceivePack && self.push_options,
            ("delete-refs", None) => service == GitService::ReceivePack && self.deletes,
            (name, None) => match service {
                GitService::UploadPack => FETCH.contains(&name),
                GitService::ReceivePack => PUSH.contains(&name),
            },
            _ => false,
        };
        is_kept.then(|| word.to_owned())
    }

    /// A line of capabilities of protocol 2 as it is relayed, if it is.
    pub(super) fn modern(line: &str) -> Option<String> {
        match words::split(line) {
            ("agent", Some(agent)) if words::is_agent(agent) => Some(line.to_owned()),
            ("object-format", Some(_)) | ("ls-refs", None | Some("unborn")) => {
                Some(line.to_owned())
            }
            ("ls-refs", Some(_)) => Some("ls-refs".to_owned()),
            ("fetch", value) => {
                let features: Vec<&str> = value
                    .unwrap_or_default()
                    .split(' ')
                    .filter(|feature| FEATURES.contains(feature))
                    .collect();
                match features.is_empty() {
                    true => Some("fetch".to_owned()),
                    false => Some(format!("fetch={}", features.join(" "))),
                }
            }
            _ => None,
        }
    }
}

fn is_visible(word: &str) -> bool {
    word.chars().all(|c| !c.is_control())
}

/// Of `git-receive-pack`. Not `push-cert`, `session-id`.
const PUSH: [&str; 6] = [
    "report-status",
    "report-status-v2",
    "side-band-64k",
    "quiet",
    "atomic",
    "ofs-delta",
];

/// Of `git-upload-pack`. Not `session-id`.
const FETCH: [&str; 16] = [
    "multi_ack",
    "multi_ack_detailed",
    "no-done",
    "thin-pack",
    "side-band",
    "side-band-64k",
    "ofs-delta",
    "shallow",
    "deepen-since",
    "deepen-not",
    "deepen-relative",
    "no-progress",
    "include-tag",
    "allow-tip-sha1-in-want",
    "allow-reachable-sha1-in-want",
    "filter",
];

/// Of `fetch` in protocol 2. Not `packfile-uris`, and not `sideband-all`, which puts messages
/// between the lines.
const FEATURES: [&str; 4] = ["shallow", "wait-for-done", "filter", "ref-in-want"];
