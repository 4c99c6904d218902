use ringfence_model::git::ObjectFormat;

use super::*;
use crate::limits::ADVERTISEMENT_OCTETS;
use crate::wire::censor::Censor;
use crate::wire::fetch::{Acks, Fetch, Form, SideBand};
use crate::wire::sideband::{self, Band};
use crate::wire::{WireError, pkt};

const A: &str = "1111111111111111111111111111111111111111";
const B: &str = "2222222222222222222222222222222222222222";

/// Packets of these lines; `0000` and the like are themselves.
fn packets(lines: &[&str]) -> Vec<u8> {
    let mut out = Vec::new();
    for line in lines {
        match *line {
            "0000" | "0001" | "0002" => out.extend_from_slice(line.as_bytes()),
            line => pkt::write_data(line.as_bytes(), &mut out),
        }
    }
    out
}

fn listed(
    octets: &[u8],
    size: usize,
    shows: impl Fn(&SeenRef<'_>) -> bool,
) -> Result<String, WireError> {
    let (mut filter, mut out) = (RefsFilter::new(ObjectFormat::Sha1, shows), Vec::new());
    for piece in octets.chunks(size) {
        filter.feed(piece, &mut out)?;
    }
    filter.finish()?;
    Ok(String::from_utf8(out).unwrap())
}

fn relayed(
    filter: PackFilter,
    octets: &[u8],
    size: usize,
) -> Result<(Vec<u8>, Fetched), WireError> {
    let (mut filter, mut out) = (filter, Vec::new());
    for (number, piece) in octets.chunks(size).enumerate() {
        // Octets of the pack may take either way.
        if number % 2 == 0 && filter.passes(piece) {
            out.extend_from_slice(piece);
        } else {
            filter.feed(piece, &mut out)?;
        }
    }
    Ok((out, filter.finish()?))
}

fn v2() -> Fetch {
    Fetch::new(ObjectFormat::Sha1)
}

fn v0(side_band: Option<SideBand>) -> Fetch {
    Fetch {
        form: Form::Legacy {
            acks: Acks::Detailed,
            no_done: false,
            side_band,
        },
        ..v2()
    }
}

#[test]
fn a_list_of_refs_shows_what_may_be_shown() {
    let answer = packets(&[
        &format!("{A} HEAD symref-target:refs/heads/secret\n"),
        &format!("{A} refs/heads/main unknown:x\n"),
        &format!("{B} refs/heads/secret\n"),
        &format!("{B} refs/tags/v1 peeled:{A}\n"),
        &format!("{B} refs/heads/\x1b[0m\n"),
        "0000",
    ]);
    let shown = packets(&[
        &format!("{A} HEAD\n"),
        &format!("{A} refs/heads/main\n"),
        &format!("{B} refs/tags/v1 peeled:{A}\n"),
        "0000",
    ]);
    for size in [1, 5, 10_000] {
        let listed = listed(&answer, size, |seen| !seen.name.ends_with("secret")).unwrap();
        assert_eq!(listed.as_bytes(), shown);
    }
    let unborn = packets(&["unborn HEAD symref-target:refs/heads/main\n", "0000"]);
    assert_eq!(listed(&unborn, 9, |_| true).unwrap().as_bytes(), unborn);
}

#[test]
fn each_object_that_is_shown_is_told() {
    let answer = packets(&[
        &format!("{B} refs/tags/v1 peeled:{A}\n"),
        &format!("{A} refs/heads/x\n"),
        "0000",
    ]);
    let mut seen = Vec::new();
    let mut filter = RefsFilter::new(ObjectFormat::Sha1, |line: &SeenRef<'_>| {
        seen.extend(line.oid.into_iter().chain(line.peeled));
        true
    });
    filter.feed(&answer, &mut Vec::new()).unwrap();
    filter.finish().map(drop).unwrap();
    assert_eq!(seen, [B, A, A].map(|oid| oid.parse().unwrap()));
}

#[test]
fn a_list_that_is_none_is_refused() {
    for lines in [
        vec!["nonsense", "0000"],
        vec!["0000", "0000"],
        vec!["0001", "0000"],
        vec!["0002"],
        vec!["1234 refs/heads/a", "0000"],
    ] {
        assert!(listed(&packets(&lines), 3, |_| true).is_err(), "{lines:?}");
    }
    let line = packets(&[&format!("{A} refs/heads/a")]);
    assert_eq!(listed(&line, 3, |_| true), Err(WireError::Truncated));
    assert_eq!(
        listed(&packets(&["ERR no \x1bsuch\n"]), 3, |_| true),
        Err(WireError::Remote("no such".to_owned()))
    );
    let mut endless = RefsFilter::new(ObjectFormat::Sha1, |_: &SeenRef<'_>| false);
    let piece = packets(&[&format!("{A} refs/heads/{}", "a".repeat(60_000))]);
    let most = ADVERTISEMENT_OCTETS / piece.len() as u64;
    let ended = (0..=most).find_map(|_| endless.feed(&piece, &mut Vec::new()).err());
    assert!(matches!(ended, Some(WireError::TooLarge(_))));
}

/// An answer of protocol 2 with every section, and messages that try to reach the terminal.
fn modern(message: &[u8]) -> Vec<u8> {
    let mut out = packets(&[
        "acknowledgments\n",
        &format!("ACK {A}\n"),
        "ready\n",
        "0001",
        "shallow-info\n",
        &format!("shallow {A}\n"),
        &format!("unshallow {B}\n"),
        "0001",
        "wanted-refs\n",
        &format!("{A} refs/heads/main\n"),
        "0001",
        "packfile\n",
    ]);
    sideband::write(Band::Message, message, &mut out);
    sideband::write(Band::Data, b"PACK\x1b\0one", &mut out);
    out.extend_from_slice(sideband::KEEPALIVE);
    sideband::write(Band::Data, b"two", &mut out);
    pkt::write_flush(&mut out);
    out
}

#[test]
fn a_pack_goes_through_untouched_and_messages_are_safe() {
    let answer = modern(b"50%\r\x1b[2J\x9b31mdone\n");
    let clean = modern(b"50%\r[2J?31mdone\n");
    for size in [1, 2, 3, 5, 8, 64, 10_000] {
        let (out, fetched) = relayed(PackFilter::relay(&v2()), &answer, size).unwrap();
        assert_eq!(out, clean, "{size}");
        assert_eq!((fetched.pack_octets, fetched.acknowledged), (12, 1));
        let (pack, _) = relayed(PackFilter::extract(&v2()), &answer, size).unwrap();
        assert_eq!(pack, b"PACK\x1b\0onetwo");
    }
}

/// Lets a text through when all of it is there.
#[derive(Debug, Default)]
struct Whole(Vec<u8>);

impl Censor for Whole {
    fn take(&mut self, piece: &[u8], _: &mut Vec<u8>) {
        self.0.extend_from_slice(piece);
    }

    fn end(&mut self, out: &mut Vec<u8>) {
        let text = String::from_utf8(std::mem::take(&mut self.0)).unwrap();
        out.extend_from_slice(text.replace("secret", "***").as_bytes());
    }
}

#[test]
fn what_messages_say_together_is_censored_and_the_pack_is_not() {
    for (last, shown) in [(None, Band::Message), (Some("fatal"), Band::Fatal)] {
        let (mut answer, mut clean) = (packets(&["packfile\n"]), packets(&["packfile\n"]));
        for message in ["the sec\x1b", "ret"] {
            sideband::write(Band::Message, message.as_bytes(), &mut answer);
            sideband::write(Band::Data, b"PACKsecret", &mut answer);
            clean.extend_from_slice(b"0005\x02");
            sideband::write(Band::Data, b"PACKsecret", &mut clean);
        }
        if let Some(last) = last {
            sideband::write(Band::Fatal, last.as_bytes(), &mut answer);
            sideband::write(Band::Message, b"the ***", &mut clean);
        }
        sideband::write(shown, last.unwrap_or("the ***").as_bytes(), &mut clean);
        pkt::write_flush(&mut answer);
        pkt::write_flush(&mut clean);
        for size in [1, 7, 10_000] {
            let filter = PackFilter::relay(&v2()).censored(Box::<Whole>::default());
            let (out, _) = relayed(filter, &answer, size).unwrap();
            assert_eq!(out, clean, "{size}");
        }
    }
}

#[test]
fn an_answer_that_ends_early_is_not_complete() {
    let answer = modern(b"x");
    for length in 0..answer.len() {
        let read = relayed(PackFilter::relay(&v2()), &answer[..length], 7);
        assert_eq!(read, Err(WireError::Truncated), "{length}");
    }
}

#[test]
fn a_round_of_negotiation_has_no_pack() {
    let answer = packets(&["acknowledgments\n", "NAK\n", "0000"]);
    let (out, fetched) = relayed(PackFilter::relay(&v2()), &answer, 4).unwrap();
    assert_eq!((out, fetched), (answer, Fetched::default()));
}

#[test]
fn an_answer_that_leads_elsewhere_or_astray_is_refused() {
    for lines in [
        vec![
            "packfile-uris\n",
            &format!("{A} https://evil.example/x\n"),
            "0001",
            "packfile\n",
            "\x01x",
            "0000",
        ],
        vec!["shallow-info\n", "0001", "packfile-uris\n"],
        vec!["bundle\n"],
        vec!["0000"],
        vec!["0001"],
        vec!["0002"],
        vec!["packfile\n", "0001"],
        vec!["packfile\n", "0002"],
        vec!["packfile\n", "\x04x"],
        vec!["packfile\n", "NAK\n"],
        vec!["packfile\n", "\x01x", "0000", "\x01y"],
        vec!["acknowledgments\n", "0001", "acknowledgments\n"],
        vec!["wanted-refs\n", "0001", "shallow-info\n"],
        vec!["acknowledgments\n", "ACK x\n"],
        vec!["acknowledgments\n", "hello\n"],
        vec!["shallow-info\n", &format!("deepen {A}\n")],
        vec!["wanted-refs\n", &format!("{A} refs/heads/\x1b\n")],
        vec!["acknowledgments\n", "0001", "0001"],
        vec!["acknowledgments\n", "0001", "0000"],
    ] {
        let octets = packets(&lines);
        for size in [1, 10_000] {
            let read = relayed(PackFilter::relay(&v2()), &octets, size);
            assert!(
                !matches!(read, Ok(_) | Err(WireError::Truncated)),
                "{lines:?} {read:?}"
            );
        }
    }
    assert!(relayed(PackFilter::relay(&v2()), b"PACK", 4).is_err());
    assert!(relayed(PackFilter::relay(&v2()), b"0004", 4).is_err());
}

#[test]
fn an_upstream_may_say_why_not() {
    let answer = packets(&["ERR not \x1b[31mour ref\n"]);
    let (out, fetched) = relayed(PackFilter::relay(&v2()), &answer, 3).unwrap();
    assert_eq!(out, packets(&["ERR not [31mour ref\n"]));
    assert_eq!(fetched.error.as_deref(), Some("not [31mour ref"));
    let refused = relayed(PackFilter::extract(&v2()), &answer, 3);
    assert_eq!(
        refused,
        Err(WireError::Remote("not [31mour ref".to_owned()))
    );
    let fatal = packets(&["packfile\n", "\x03disk \x1bfull", "0000"]);
    let (out, fetched) = relayed(PackFilter::relay(&v2()), &fatal, 3).unwrap();
    assert_eq!(out, packets(&["packfile\n", "\x03disk full", "0000"]));
    assert_eq!(fetched.error.as_deref(), Some("disk full"));
}

#[test]
fn the_first_protocol_goes_through_in_its_forms() {
    let bands = Some(SideBand::Large);
    let mut banded = packets(&[
        &format!("shallow {A}"),
        "0000",
        &format!("ACK {A} common\n"),
        &format!("ACK {A}\n"),
    ]);
    let clean = {
        let mut clean = packets(&[
            &format!("shallow {A}\n"),
            "0000",
            &format!("ACK {A} common\n"),
            &format!("ACK {A}\n"),
        ]);
        sideband::write(Band::Message, b"a[0m\n", &mut clean);
        sideband::write(Band::Data, b"PACKx", &mut clean);
        pkt::write_flush(&mut clean);
        clean
    };
    sideband::write(Band::Message, b"a\x1b[0m\n", &mut banded);
    sideband::write(Band::Data, b"PACKx", &mut banded);
    pkt::write_flush(&mut banded);
    let bare = [packets(&["NAK\n"]), b"PACK\0\0\0\x02rest0000".to_vec()].concat();
    for size in [1, 2, 3, 7, 10_000] {
        let (out, fetched) = relayed(PackFilter::relay(&v0(bands)), &banded, size).unwrap();
        assert_eq!((out.as_slice(), fetched.pack_octets), (clean.as_slice(), 5));
        let (out, fetched) = relayed(PackFilter::relay(&v0(None)), &bare, size).unwrap();
        assert_eq!((out.as_slice(), fetched.pack_octets), (bare.as_slice(), 16));
        let (pack, _) = relayed(PackFilter::extract(&v0(None)), &bare, size).unwrap();
        assert_eq!(pack, b"PACK\0\0\0\x02rest0000");
    }
    let round = packets(&["NAK\n"]);
    assert!(relayed(PackFilter::relay(&v0(bands)), &round, 3).is_ok());
    assert!(
        relayed(
            PackFilter::relay(&v0(bands)),
            &banded[..banded.len() - 4],
            3
        )
        .is_err()
    );
    for octets in [
        &b"PACK"[..],
        b"0008NAK\nPACK",
        b"0009\x01PACK",
        b"0010acknowledgm",
        b"0008NAK\n0000",
    ] {
        assert!(
            relayed(PackFilter::relay(&v0(bands)), octets, 3).is_err(),
            "{octets:?}"
        );
    }
}

#[test]
fn messages_that_never_end_are_cut_and_packs_are_not_held() {
    let mut filter = PackFilter::relay(&v2());
    let mut out = Vec::new();
    filter.feed(&packets(&["packfile\n"]), &mut out).unwrap();
    let mut pack = Vec::new();
    sideband::write(Band::Data, &[b'x'; 60_000], &mut pack);
    for _ in 0..500 {
        out.clear();
        filter.feed(&pack, &mut out).unwrap();
        assert_eq!(out, pack);
    }
    let mut message = Vec::new();
    sideband::write(Band::Message, &[b'x'; 60_000], &mut message);
    let ended = (0..2000).find_map(|_| {
        out.clear();
        filter.feed(&message, &mut out).err()
    });
    assert!(matches!(ended, Some(WireError::TooLarge(_))));
}
