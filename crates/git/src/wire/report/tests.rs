use proptest::prelude::*;

use super::*;
use crate::wire::WireError;
use crate::wire::pkt::{Digits, Pkt};
use crate::wire::push::{PushReader, PushStart};

const OLD: &str = "1111111111111111111111111111111111111111";
const NEW: &str = "2222222222222222222222222222222222222222";

fn request(capabilities: &str, names: &[&str]) -> PushRequest {
    let mut octets = Vec::new();
    for (position, name) in names.iter().enumerate() {
        let tail = if position == 0 {
            format!("\0{capabilities}")
        } else {
            String::new()
        };
        pkt::write_data(format!("{OLD} {NEW} {name}{tail}").as_bytes(), &mut octets);
    }
    pkt::write_flush(&mut octets);
    match PushReader::default().feed(&octets).unwrap() {
        Some((PushStart::Push(push), _)) => push,
        other => panic!("{other:?}"),
    }
}

fn shown(octets: &[u8]) -> String {
    String::from_utf8_lossy(octets).into_owned()
}

#[test]
fn a_refusal_is_what_git_shows_for_each_ref() {
    let push = request(
        "report-status side-band-64k",
        &["refs/heads/main", "refs/heads/agent/x"],
    );
    let report = Report::refusal(&push, |name| match name.as_str() {
        "refs/heads/main" => "no rule allows it",
        _ => "not sent: refs/heads/main was denied",
    });
    let answer = report
        .answer("denied\nby rule 1", &push.capabilities)
        .unwrap();
    assert_eq!(
        shown(&answer),
        "0016\u{2}denied\nby rule 1\n\
         007f\u{1}000eunpack ok\n\
         0029ng refs/heads/main no rule allows it\n\
         003fng refs/heads/agent/x not sent: refs/heads/main was denied\n\
         0000\
         0000"
    );
}

#[test]
fn a_refusal_takes_the_form_that_was_asked_for() {
    let refused = |capabilities: &str| {
        let push = request(capabilities, &["refs/heads/a"]);
        let mut report = Report::refusal(&push, |_| "no");
        report.unpack = Err("a secret was found".to_owned());
        report
            .answer("why", &push.capabilities)
            .map(|answer| shown(&answer))
    };
    let report = "001eunpack a secret was found\n0017ng refs/heads/a no\n0000";
    assert_eq!(refused(""), None);
    assert_eq!(refused("atomic"), None);
    assert_eq!(refused("report-status").unwrap(), report);
    assert_eq!(refused("side-band-64k").unwrap(), "0009\u{2}why\n0000");
    assert_eq!(
        refused("report-status-v2 side-band-64k").unwrap(),
        format!("0009\u{2}why\n003e\u{1}{report}0000")
    );
}

#[test]
fn a_reason_cannot_forge_a_line() {
    let push = request("report-status", &["refs/heads/a"]);
    let report = Report::refusal(&push, |_| "x\n000fok refs/heads/a\x1b[2K\0");
    let answer = shown(&report.answer("", &push.capabilities).unwrap());
    assert_eq!(
        answer,
        "000eunpack ok\n002dng refs/heads/a x 000fok refs/heads/a[2K\n0000"
    );
    let silent = Report::refusal(&push, |_| " \n");
    assert!(
        shown(&silent.answer("", &push.capabilities).unwrap())
            .contains("ng refs/heads/a refused\n")
    );
    assert_eq!(error_packet("a\nb\x1b"), b"000cERR a b\n");
}

fn answer(capabilities: &str, octets: &[u8], size: usize) -> Result<(Answer, String), WireError> {
    let push = request(capabilities, &["refs/heads/a"]);
    let (mut reader, mut messages) = (ReportReader::new(&push.capabilities), Vec::new());
    for piece in octets.chunks(size) {
        reader.feed(piece, &mut messages)?;
    }
    Ok((reader.finish()?, shown(&messages)))
}

const ASKED: &str = "report-status-v2 side-band-64k";

/// As git's server sends it, with a message that tries to reach the terminal.
fn banded() -> Vec<u8> {
    let mut report = Vec::new();
    for line in [
        "unpack ok",
        "ok refs/heads/a",
        &format!("option old-oid {OLD}"),
        "option unknown",
        "option forced-update",
        "ng refs/heads/b hook declined\x1b[31m",
    ] {
        pkt::write_line(line, &mut report);
    }
    pkt::write_flush(&mut report);
    let mut out = Vec::new();
    sideband::write(Band::Message, b"hello \x1b]0;x\x07\n", &mut out);
    let (one, two) = report.split_at(17);
    sideband::write(Band::Data, one, &mut out);
    out.extend_from_slice(sideband::KEEPALIVE);
    sideband::write(Band::Data, two, &mut out);
    pkt::write_flush(&mut out);
    out
}

#[test]
fn the_report_of_an_upstream_is_read_and_its_messages_are_safe() {
    let whole = banded();
    for size in [1, 2, 7, 1000] {
        let (read, messages) = answer(ASKED, &whole, size).unwrap();
        assert_eq!(messages, "0010\u{2}hello ]0;x\n");
        let report = read.report.unwrap();
        assert_eq!((&report.unpack, read.fatal), (&Ok(()), None));
        let [a, b] = report.refs.as_slice() else {
            panic!("{report:?}");
        };
        let changed = a.outcome.as_ref().unwrap();
        assert!(
            changed.forced && changed.old == Some(OLD.parse().unwrap()) && changed.new.is_none()
        );
        assert_eq!(b.outcome, Err("hook declined[31m".to_owned()));
    }
}

#[test]
fn an_answer_that_ends_early_is_no_report() {
    let whole = banded();
    for length in 0..whole.len() {
        assert!(answer(ASKED, &whole[..length], 64).is_err(), "{length}");
    }
    let bare = b"000eunpack ok\n0014ok refs/heads/a\n0000";
    assert!(answer("report-status", bare, 3).unwrap().0.report.is_some());
    for length in 0..bare.len() {
        assert!(
            answer("report-status", &bare[..length], 64).is_err(),
            "{length}"
        );
    }
}

#[test]
fn an_answer_that_is_no_report_is_refused() {
    for octets in [
        "0000",
        "0006\u{4}x0000",
        "0004",
        "00010000",
        "000d\u{1}0000x0000",
        "0009\u{1}00000000x",
        "0012\u{1}000cunpack0000",
        "0013\u{1}000eunpack ok\n0000",
        "0023\u{1}000eunpack ok\n000bnonsense00000000",
        "0028\u{1}000eunpack ok\n0010ok HEAD\u{1b}[0m00000000",
    ] {
        assert!(answer(ASKED, octets.as_bytes(), 9).is_err(), "{octets}");
    }
    assert_eq!(
        answer(ASKED, b"0011ERR no such\x1b\n", 5),
        Err(WireError::Remote("no such".to_owned()))
    );
    let (read, _) = answer(ASKED, b"000d\x03disk \x1bx!", 5).unwrap();
    assert_eq!(
        (read.report, read.fatal.as_deref()),
        (None, Some("disk x!"))
    );
    assert_eq!(
        answer("side-band-64k", b"0000", 5).unwrap().0,
        Answer::default()
    );
}

#[test]
fn an_upstream_that_never_ends_is_cut() {
    let push = request(ASKED, &["refs/heads/a"]);
    for band in [Band::Data, Band::Message] {
        let mut reader = ReportReader::new(&push.capabilities);
        let mut packet = Vec::new();
        sideband::write(band, &[b'x'; 60_000], &mut packet);
        let ended = (0..2000).find_map(|_| reader.feed(&packet, &mut Vec::new()).err());
        assert!(matches!(ended, Some(WireError::TooLarge(_))));
    }
}

#[test]
fn the_client_is_told_of_what_it_asked_for_and_of_nothing_else() {
    let push = request(ASKED, &["refs/heads/b", "refs/heads/c"]);
    let of = |name, outcome| RefReport {
        name: RefName::new(name).unwrap(),
        outcome,
    };
    let report = Report {
        unpack: Ok(()),
        refs: vec![
            of("refs/heads/a", Ok(Changed::default())),
            of("refs/heads/b", Ok(Changed::default())),
        ],
    };
    let told = report.for_request(&push).refs;
    assert_eq!(told[0], of("refs/heads/b", Ok(Changed::default())));
    assert!(told[1].name.as_str() == "refs/heads/c" && told[1].outcome.is_err());
    assert_eq!(told.len(), 2);
}

proptest! {
    #[test]
    fn what_is_written_is_read_the_same(
        refs in prop::collection::vec(("refs/heads/[a-z]{1,9}", any::<bool>(), any::<[bool; 4]>(), "[a-z][a-z ]{0,20}[a-z]"), 0..6),
        unpack in prop::option::of("[a-z][a-z ]{0,20}[a-z]"),
        side_band in any::<bool>(),
        size in 1usize..99,
    ) {
        let refs = refs.into_iter().filter_map(|(name, is_ok, [a, b, c, forced], reason)| {
            let name = RefName::new(&name).ok()?;
            let changed = Changed {
                name: a.then(|| name.clone()),
                old: b.then(|| OLD.parse().unwrap()),
                new: c.then(|| NEW.parse().unwrap()),
                forced,
            };
            Some(RefReport { name, outcome: if is_ok { Ok(changed) } else { Err(reason) } })
        });
        let unpack = unpack.filter(|reason| reason != "ok").map_or(Ok(()), Err);
        let report = Report { unpack, refs: refs.collect() };
        let asked = if side_band { ASKED } else { "report-status-v2" };
        let mut octets = Vec::new();
        report.write(&request(asked, &["refs/heads/a"]).capabilities, &mut octets);
        let (read, _) = answer(asked, &octets, size).unwrap();
        prop_assert_eq!(read.report, Some(report));
        let (mut rest, mut ended) = (octets.as_slice(), false);
        while let Some((pkt, after)) = pkt::split(rest, Digits::Lower).unwrap() {
            ended = pkt == Pkt::Flush;
            rest = after;
        }
        prop_assert!(ended && rest.is_empty());
    }
}
