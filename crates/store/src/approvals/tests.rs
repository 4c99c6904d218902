use std::fs::{Permissions, set_permissions};
use std::os::unix::fs::{PermissionsExt as _, symlink};

use jiff::SignedDuration;
use ringfence_model::git::{RefChange, RefName, RefUpdate};

use super::*;
use crate::testing::{event_id, time};

const OLD: &str = "1111111111111111111111111111111111111111";
const NEW: &str = "2222222222222222222222222222222222222222";

fn update(name: &str, old: &str, new: &str) -> RefUpdate {
    RefUpdate {
        name: RefName::new(name).unwrap(),
        old: old.parse().unwrap(),
        new: new.parse().unwrap(),
        change: RefChange::Update,
    }
}

fn push(updates: Vec<RefUpdate>, options: &[&str]) -> GitRequest {
    GitRequest {
        destination: "github.com:443".parse().unwrap(),
        repo: serde_json::from_str("\"github/acme/web\"").unwrap(),
        operation: GitOperation::Push {
            updates,
            options: options.iter().map(|&option| option.to_owned()).collect(),
            atomic: false,
        },
    }
}

fn digest(request: &GitRequest) -> Digest {
    digest_of("coder", "local", request)
}

fn digest_of(agent: &str, workspace: &str, request: &GitRequest) -> Digest {
    push_digest(
        &agent.parse().unwrap(),
        &workspace.parse().unwrap(),
        request,
    )
    .unwrap()
}

fn approved(seconds: u32) -> (EventId, Said) {
    let until = time(seconds);
    (event_id(1), Said::Approved { until })
}

#[test]
fn whatever_differs_makes_another_push() {
    let both = || {
        vec![
            update("refs/heads/a", OLD, NEW),
            update("refs/heads/b", OLD, NEW),
        ]
    };
    let request = push(both(), &["x", "yz"]);
    let mut elsewhere = request.clone();
    elsewhere.destination = "git.test:443".parse().unwrap();
    let mut other_repo = request.clone();
    other_repo.repo = serde_json::from_str("\"github/acme/docs\"").unwrap();
    let mut atomic = request.clone();
    let GitOperation::Push { atomic: flag, .. } = &mut atomic.operation else {
        unreachable!()
    };
    *flag = true;
    let moved = |position: usize, change: fn(&mut RefUpdate)| {
        let mut updates = both();
        change(&mut updates[position]);
        push(updates, &["x", "yz"])
    };
    let others = [
        digest_of("other", "local", &request),
        digest_of("coder", "other", &request),
        digest(&elsewhere),
        digest(&other_repo),
        digest(&atomic),
        digest(&moved(0, |update| update.new = OLD.parse().unwrap())),
        digest(&moved(1, |update| update.new = OLD.parse().unwrap())),
        digest(&moved(1, |update| update.old = NEW.parse().unwrap())),
        digest(&moved(0, |update| {
            update.name = RefName::new("refs/heads/c").unwrap();
        })),
        digest(&push(both().split_off(1), &["x", "yz"])),
        digest(&push(both(), &[])),
        digest(&push(both(), &["x"])),
        digest(&push(both(), &["xy", "z"])),
        digest(&push(both(), &["yz", "x"])),
    ];
    for (position, other) in others.iter().enumerate() {
        assert_ne!(*other, digest(&request), "{position}");
        assert!(!others[..position].contains(other), "{position}");
    }
}

#[test]
fn the_order_of_refs_and_what_is_proven_of_them_do_not_matter() {
    let (a, b) = (
        update("refs/heads/a", OLD, NEW),
        update("refs/heads/b", OLD, NEW),
    );
    let mut proven = a.clone();
    proven.change = RefChange::FastForward;
    let request = push(vec![a, b.clone()], &[]);
    assert_eq!(digest(&push(vec![b, proven], &[])), digest(&request));
}

#[test]
fn what_is_no_push_cannot_be_approved() {
    let mut request = push(Vec::new(), &[]);
    request.operation = GitOperation::Probe;
    let agent = "coder".parse().unwrap();
    assert_eq!(
        push_digest(&agent, &"local".parse().unwrap(), &request),
        None
    );
}

#[test]
fn an_approval_counts_until_it_ends_and_for_its_push_alone() {
    let directory = tempfile::tempdir().unwrap();
    let approvals = Approvals::new(directory.path());
    let one = digest(&push(vec![update("refs/heads/a", OLD, NEW)], &[]));
    let other = digest(&push(vec![update("refs/heads/a", NEW, OLD)], &[]));
    assert_eq!(approvals.reply(one).unwrap(), None);
    approvals.keep(one, approved(10), time(1)).unwrap();
    let reply = approvals.reply(one).unwrap().unwrap();
    assert_eq!(reply.event, event_id(1));
    assert!(reply.approves(time(9)));
    assert!(!reply.approves(time(10)));
    assert_eq!(approvals.reply(other).unwrap(), None);
    let no = (event_id(1), Said::Rejected);
    approvals.keep(one, no, time(2)).unwrap();
    let reply = approvals.reply(one).unwrap().unwrap();
    assert!(!reply.approves(time(3)));
}

#[test]
fn files_are_for_their_user_alone() {
    let directory = tempfile::tempdir().unwrap();
    let approvals = Approvals::new(&directory.path().join("data"));
    let one = digest(&push(vec![update("refs/heads/a", OLD, NEW)], &[]));
    approvals.keep(one, approved(10), time(1)).unwrap();
    let mode = |path: &Path| path.metadata().unwrap().permissions().mode() & 0o777;
    let path = approvals.path(one);
    assert_eq!(mode(&path), 0o600);
    assert_eq!(mode(&approvals.folder()), 0o700);
    set_permissions(&path, Permissions::from_mode(0o620)).unwrap();
    approvals.reply(one).unwrap_err();
}

#[test]
fn a_file_that_is_moved_linked_or_damaged_approves_nothing() {
    let directory = tempfile::tempdir().unwrap();
    let approvals = Approvals::new(directory.path());
    let one = digest(&push(vec![update("refs/heads/a", OLD, NEW)], &[]));
    let other = digest(&push(vec![update("refs/heads/a", NEW, OLD)], &[]));
    approvals.keep(one, approved(10), time(1)).unwrap();
    std::fs::copy(approvals.path(one), approvals.path(other)).unwrap();
    approvals.reply(other).unwrap_err();
    std::fs::remove_file(approvals.path(other)).unwrap();
    symlink(approvals.path(one), approvals.path(other)).unwrap();
    approvals.reply(other).unwrap_err();
    let whole = std::fs::read_to_string(approvals.path(one)).unwrap();
    for text in [
        "",
        "{}",
        &whole.replace("\"version\":1", "\"version\":2"),
        &whole.replace("\"event\"", "\"more\":1,\"event\""),
        &format!("{whole}{}", " x".repeat(4096)),
    ] {
        std::fs::write(approvals.path(one), text).unwrap();
        approvals.reply(one).unwrap_err();
    }
    std::fs::write(approvals.path(one), whole).unwrap();
    assert!(approvals.reply(one).unwrap().is_some());
}

#[test]
fn the_stored_form_of_version_1_stays() {
    let directory = tempfile::tempdir().unwrap();
    let approvals = Approvals::new(directory.path());
    let one = digest(&push(vec![update("refs/heads/a", OLD, NEW)], &[]));
    approvals.keep(one, approved(10), time(1)).unwrap();
    let text = std::fs::read_to_string(approvals.path(one)).unwrap();
    // Approvals that were given by an earlier version go on to count only if this stays as it is.
    let earlier = r#"{"version":1,"push":"DIGEST","event":"0192f0c1-0000-7000-9000-000000000001","at":"2026-11-22T06:00:01Z","said":{"approved":{"until":"2026-11-22T06:00:10Z"}}}"#
        .replace("DIGEST", &one.to_string());
    let by = format!(r#","by":{},"said""#, user());
    assert_eq!(text, earlier.replace(r#","said""#, &by));
    std::fs::write(approvals.path(one), earlier).unwrap();
    let reply = approvals.reply(one).unwrap().unwrap();
    assert_eq!((reply.by, reply.approves(time(9))), (None, true));
    let used = r#"{"version":1,"push":"DIGEST","event":"0192f0c1-0000-7000-9000-000000000001","at":"2026-11-22T06:00:01Z","by":1000,"said":{"used":{"passed":"0192f0c1-0000-7000-9000-000000000002"}}}"#
        .replace("DIGEST", &one.to_string());
    std::fs::write(approvals.path(one), &used).unwrap();
    let reply = approvals.reply(one).unwrap().unwrap();
    assert!(!reply.approves(time(1)));
    assert_eq!(serde_json::to_string(&reply).unwrap(), used);
}

#[test]
fn replies_that_are_long_over_are_removed() {
    let directory = tempfile::tempdir().unwrap();
    let approvals = Approvals::new(directory.path());
    let one = digest(&push(vec![update("refs/heads/a", OLD, NEW)], &[]));
    let other = digest(&push(vec![update("refs/heads/a", NEW, OLD)], &[]));
    approvals.keep(one, approved(10), time(1)).unwrap();
    let soon = time(10) + REPLIES_KEPT;
    approvals.keep(other, approved(10), soon).unwrap();
    assert!(approvals.reply(one).unwrap().is_some());
    let late = soon + SignedDuration::from_secs(1);
    approvals.keep(other, approved(10), late).unwrap();
    assert_eq!(approvals.reply(one).unwrap(), None);
}
