use proptest::prelude::*;
use ringfence_model::git::{RefChange, RefName};

use super::*;
use crate::limits::{PUSH_OPTIONS, PUSH_SECTION_OCTETS, PUSH_SHALLOWS, PUSH_UPDATES};
use crate::wire::WireError;

const NONE: &str = "0000000000000000000000000000000000000000";
const OLD: &str = "1111111111111111111111111111111111111111";
const NEW: &str = "2222222222222222222222222222222222222222";
const CAPS: &str = " report-status-v2 side-band-64k object-format=sha1 agent=git/2.47.3";

/// Packets of these lines; `0000` and the like are themselves.
fn packets(lines: &[&str]) -> Vec<u8> {
    let mut out = Vec::new();
    for line in lines {
        match *line {
            "0000" | "0001" | "0002" | "0003" | "0004" => out.extend_from_slice(line.as_bytes()),
            line => pkt::write_data(line.as_bytes(), &mut out),
        }
    }
    out
}

fn read(octets: &[u8]) -> Result<Option<(PushStart, usize)>, WireError> {
    PushReader::default().feed(octets)
}

fn push(octets: &[u8]) -> PushRequest {
    match read(octets).unwrap() {
        Some((PushStart::Push(push), taken)) => {
            assert_eq!(taken, octets.len());
            push
        }
        other => panic!("{other:?}"),
    }
}

fn command(old: &str, new: &str, name: &str) -> String {
    format!("{old} {new} {name}")
}

fn first(name: &str) -> String {
    format!("{}\0{CAPS}", command(OLD, NEW, name))
}

#[test]
fn a_push_as_git_sends_it_is_read() {
    let octets = packets(&[
        &first("refs/heads/agent/x"),
        &command(NONE, NEW, "refs/tags/v1"),
        &command(OLD, NONE, "refs/heads/gone"),
        "0000",
    ]);
    let push = push(&octets);
    let changes: Vec<_> = push
        .updates
        .iter()
        .map(|update| (update.name.as_str(), update.change))
        .collect();
    assert_eq!(
        changes,
        [
            ("refs/heads/agent/x", RefChange::Update),
            ("refs/tags/v1", RefChange::TagCreate),
            ("refs/heads/gone", RefChange::Delete),
        ]
    );
    let capabilities = &push.capabilities;
    assert_eq!(capabilities.report, Some(ReportVersion::V2));
    assert!(capabilities.side_band && !capabilities.atomic && !capabilities.push_options);
    assert_eq!(capabilities.agent.as_deref(), Some("git/2.47.3"));
    assert!(push.has_pack());
}

#[test]
fn what_goes_on_is_written_by_us() {
    let octets = packets(&[
        &format!("shallow {OLD}\n"),
        &format!(
            "{}\0 side-band-64k report-status unknown=1 session-id=x push-options quiet atomic agent=a/1\n",
            command(OLD, NEW, "refs/heads/a")
        ),
        &format!("{}\n", command(OLD, NEW, "refs/heads/b")),
        "0000",
        "ci.skip\n",
        "0000",
    ]);
    let version = env!("CARGO_PKG_VERSION");
    let written = packets(&[
        &format!("shallow {OLD}"),
        &format!(
            "{}\0report-status side-band-64k quiet atomic push-options object-format=sha1 agent=ringfence/{version}",
            command(OLD, NEW, "refs/heads/a")
        ),
        &command(OLD, NEW, "refs/heads/b"),
        "0000",
        "ci.skip",
        "0000",
    ]);
    assert_eq!(push(&octets).write(), written);
}

#[test]
fn the_pack_is_what_follows_the_part_in_any_pieces() {
    let mut octets = packets(&[&first("refs/heads/a"), "0000"]);
    let length = octets.len();
    octets.extend_from_slice(b"PACK0000");
    for size in 1..octets.len() {
        let (mut reader, mut fed) = (PushReader::default(), 0);
        for piece in octets.chunks(size) {
            if let Some((start, taken)) = reader.feed(piece).unwrap() {
                assert!(matches!(start, PushStart::Push(_)));
                assert_eq!(fed + taken, length);
                break;
            }
            fed += piece.len();
        }
        assert!(fed < length);
    }
}

#[test]
fn four_octets_ask_whether_a_push_may_come() {
    assert_eq!(read(b"0000"), Ok(Some((PushStart::Probe, 4))));
    assert_eq!(read(b"000"), Ok(None));
    assert_eq!(read(b""), Ok(None));
}

#[test]
fn a_push_that_deletes_has_no_pack() {
    let octets = packets(&[
        &format!("{}\0{CAPS}", command(OLD, NONE, "refs/heads/a")),
        "0000",
    ]);
    assert!(!push(&octets).has_pack());
}

#[test]
fn a_push_without_capabilities_is_the_oldest_kind() {
    let push = push(&packets(&[&command(OLD, NEW, "refs/heads/a"), "0000"]));
    assert_eq!(push.capabilities, PushCapabilities::default());
}

#[test]
fn objects_are_named_by_the_format_that_is_said() {
    let (old, new) = (OLD.replace('1', "11")[..64].to_owned(), "3".repeat(64));
    let line = format!("{old} {new} refs/heads/a\0 object-format=sha256");
    let long = push(&packets(&[&line, "0000"]));
    assert_eq!(long.object_format(), ObjectFormat::Sha256);
    for lines in [
        vec![format!("{old} {new} refs/heads/a\0")],
        vec![format!("{OLD} {NEW} refs/heads/a\0 object-format=sha256")],
        vec![line.clone(), command(OLD, NEW, "refs/heads/b")],
        vec![format!("shallow {OLD}"), line.clone()],
        vec![format!(
            "{OLD} {NEW} refs/heads/a\0 object-format=sha1 object-format=sha256"
        )],
        vec![format!("{OLD} {NEW} refs/heads/a\0 object-format=md5")],
    ] {
        let mut lines: Vec<&str> = lines.iter().map(String::as_str).collect();
        lines.push("0000");
        assert!(read(&packets(&lines)).is_err(), "{lines:?}");
    }
}

/// The ways in which git's own server reads more than one thing into a push; each is refused
/// or, where it changes nothing, written in one form.
#[test]
fn what_git_would_read_in_another_way_is_refused() {
    let a = first("refs/heads/a");
    let b = command(OLD, NEW, "refs/heads/b");
    let cases: Vec<(&str, Vec<u8>)> = vec![
        ("another packet ends the commands", packets(&[&a, "0001"])),
        ("another packet ends the commands", packets(&[&a, "0002"])),
        (
            "capabilities on a later line",
            packets(&[&a, &format!("{b}\0 atomic"), "0000"]),
        ),
        ("a second NUL", packets(&[&format!("{a}\0x"), "0000"])),
        (
            "shallow between",
            packets(&[&a, &format!("shallow {OLD}"), &b, "0000"]),
        ),
        (
            "shallow at the end",
            packets(&[&a, &format!("shallow {OLD}"), "0000"]),
        ),
        (
            "shallow with capabilities",
            packets(&[&format!("shallow {OLD}\0 atomic"), &a, "0000"]),
        ),
        (
            "shallow alone",
            packets(&[&format!("shallow {OLD}"), "0000"]),
        ),
        (
            "a certificate",
            packets(&["push-cert\0 report-status\n", &a, "0000"]),
        ),
        (
            "a certificate",
            packets(&[
                &a,
                "push-cert\n",
                "certificate version 0.1\n",
                "push-cert-end\n",
                "0000",
            ]),
        ),
        (
            "a certificate",
            packets(&[
                &format!("{}\0 push-cert=nonce", command(OLD, NEW, "refs/heads/a")),
                "0000",
            ]),
        ),
    ];
    refuses(cases);
}

#[test]
fn a_command_has_one_spelling() {
    let a = first("refs/heads/a");
    let b = command(OLD, NEW, "refs/heads/b");
    let cases: Vec<(&str, Vec<u8>)> = vec![
        (
            "two line feeds",
            packets(&[&a, &format!("{b}\n\n"), "0000"]),
        ),
        ("upper-case length", a_with_header("00A6", &a)),
        (
            "upper-case object",
            packets(&[
                &command(&OLD.replace('1', "A"), NEW, "refs/heads/a"),
                "0000",
            ]),
        ),
        (
            "mixed-case object",
            packets(&[
                &command(OLD, &NEW.replacen('2', "F", 1), "refs/heads/a"),
                "0000",
            ]),
        ),
        (
            "a ref twice",
            packets(&[&a, &command(NEW, OLD, "refs/heads/a"), "0000"]),
        ),
        (
            "nothing to nothing",
            packets(&[&command(NONE, NONE, "refs/heads/a"), "0000"]),
        ),
        ("an empty packet", packets(&[&a, "0004", "0000"])),
        ("a short length", packets(&[&a, "0003", "0000"])),
        (
            "a short object",
            packets(&[&command(&OLD[1..], NEW, "refs/heads/a"), "0000"]),
        ),
        (
            "two blanks",
            packets(&[&format!("{OLD}  {NEW} refs/heads/a"), "0000"]),
        ),
        (
            "a tab",
            packets(&[&format!("{OLD}\t{NEW}\trefs/heads/a"), "0000"]),
        ),
        ("a blank before", packets(&[&format!(" {b}"), "0000"])),
        ("a blank behind", packets(&[&format!("{b} "), "0000"])),
        ("a carriage return", packets(&[&format!("{b}\r\n"), "0000"])),
        ("no ref", packets(&[&format!("{OLD} {NEW}"), "0000"])),
        ("no ref", packets(&[&format!("{OLD} {NEW} "), "0000"])),
        (
            "a control character in capabilities",
            packets(&[&format!("{b}\0 report-status\natomic"), "0000"]),
        ),
    ];
    refuses(cases);
    let not_text = [b"0080".as_slice(), &[0xff; 0x7c], b"0000"].concat();
    assert!(read(&not_text).is_err());
}

fn refuses(cases: Vec<(&str, Vec<u8>)>) {
    for (name, octets) in cases {
        assert!(
            read(&octets).is_err(),
            "{name}: {:?}",
            String::from_utf8_lossy(&octets)
        );
    }
}

fn a_with_header(header: &str, line: &str) -> Vec<u8> {
    let length = format!("{:04x}", line.len() + 4);
    assert!(header.eq_ignore_ascii_case(&length), "{length}");
    [header.as_bytes(), line.as_bytes(), b"0000"].concat()
}

#[test]
fn a_ref_has_a_name_that_git_takes_in_full() {
    for name in [
        "HEAD",
        "heads/a",
        "main",
        "refs",
        "refs/",
        "refs//a",
        "refs/heads/",
        "refs/heads/../a",
        "refs/heads/a..b",
        "refs/heads/.a",
        "refs/heads/a.lock",
        "refs/heads/a b",
        "refs/heads/a~1",
        "refs/heads/a^",
        "refs/heads/a:b",
        "refs/heads/a?",
        "refs/heads/*",
        "refs/heads/[a",
        "refs/heads/a\\b",
        "refs/heads/@{1}",
        "refs/heads/a\x1b[0m",
        "refs/heads/a\x7f",
        "refs/heads/a.",
        "REFS/heads/a",
        "/refs/heads/a",
        ".have",
        "capabilities^{}",
    ] {
        let octets = packets(&[&command(OLD, NEW, name), "0000"]);
        assert!(read(&octets).is_err(), "{name:?}");
    }
    // What is a valid name and no branch is for the rules.
    for name in [
        "refs/for/main",
        "refs/meta/config",
        "refs/replace/x",
        "refs/notes/x",
        "refs/pull/1/head",
        "refs/heads/日本",
    ] {
        let push = push(&packets(&[&command(OLD, NEW, name), "0000"]));
        assert_eq!(push.updates[0].name, RefName::new(name).unwrap());
    }
}

#[test]
fn bytes_that_look_like_a_pack_are_no_pack_before_the_end() {
    // CVE-2025-54584: where the pack begins is told by the packets alone.
    let name = "refs/heads/PACK";
    let octets = packets(&[
        &first(name),
        &command(OLD, NEW, "refs/heads/0000PACK"),
        "0000",
    ]);
    assert_eq!(push(&octets).updates.len(), 2);
    assert!(read(b"PACK\0\0\0\x02\0\0\0\0").is_err());
}

#[test]
fn options_are_read_where_they_were_announced() {
    let announced = format!("{}\0push-options", command(OLD, NEW, "refs/heads/a"));
    let with = |options: &[&str]| {
        let mut lines = vec![announced.as_str(), "0000"];
        lines.extend_from_slice(options);
        packets(&lines)
    };
    assert_eq!(
        push(&with(&["a=b c", "ci.skip", "0000"])).options,
        ["a=b c", "ci.skip"]
    );
    assert_eq!(push(&with(&["0000"])).options, [""; 0]);
    assert_eq!(read(&with(&[])), Ok(None));
    for options in [
        &["0001"][..],
        &["0004", "0000"],
        &["a\0b", "0000"],
        &["a\nb", "0000"],
        &["a\x1b", "0000"],
    ] {
        assert!(read(&with(options)).is_err(), "{options:?}");
    }
    let many = vec!["x"; PUSH_OPTIONS + 1];
    assert!(matches!(read(&with(&many)), Err(WireError::TooLarge(_))));
    let long = "x".repeat(2000);
    assert!(matches!(read(&with(&[&long])), Err(WireError::TooLarge(_))));
}

#[test]
fn a_push_is_bounded() {
    let mut refs = vec![first("refs/heads/a")];
    refs.extend((0..PUSH_UPDATES).map(|n| command(OLD, NEW, &format!("refs/heads/{n}"))));
    let refs: Vec<&str> = refs.iter().map(String::as_str).collect();
    assert!(matches!(read(&packets(&refs)), Err(WireError::TooLarge(_))));
    let shallow = format!("shallow {OLD}");
    let shallows = vec![shallow.as_str(); PUSH_SHALLOWS + 1];
    assert!(matches!(
        read(&packets(&shallows)),
        Err(WireError::TooLarge(_))
    ));
    let name = format!("refs/heads/{}", "a".repeat(1000));
    let long: Vec<String> = (0..1100)
        .map(|n| command(OLD, NEW, &format!("{name}{n}")))
        .collect();
    let long: Vec<&str> = long.iter().take(990).map(String::as_str).collect();
    assert!(packets(&long).len() > PUSH_SECTION_OCTETS);
    assert!(matches!(read(&packets(&long)), Err(WireError::TooLarge(_))));
}

#[test]
fn nothing_is_read_behind_the_end() {
    let mut reader = PushReader::default();
    assert!(reader.feed(b"0000").unwrap().is_some());
    assert!(reader.feed(b"0000").is_err());
}

proptest! {
    #[test]
    fn what_is_written_is_read_the_same(
        names in prop::collection::btree_set("refs/[a-z]{1,5}/[a-z0-9_/]{1,9}[a-z]", 1..6),
        shallow in 0usize..3,
        flags in any::<[bool; 6]>(),
        options in prop::collection::vec("[ -~]{1,20}", 0..3),
    ) {
        let [v2, report, side_band, atomic, quiet, push_options] = flags;
        let mut capabilities = vec!["object-format=sha1"];
        for (asked, word) in [(report, "report-status"), (v2, "report-status-v2"), (side_band, "side-band-64k"), (atomic, "atomic"), (quiet, "quiet"), (push_options, "push-options")] {
            if asked {
                capabilities.push(word);
            }
        }
        let mut lines = vec![format!("shallow {OLD}"); shallow];
        for (position, name) in names.iter().filter(|name| RefName::new(name).is_ok()).enumerate() {
            let tail = if position == 0 { format!("\0{}", capabilities.join(" ")) } else { String::new() };
            lines.push(format!("{OLD} {NEW} {name}{tail}"));
        }
        prop_assume!(lines.len() > shallow);
        lines.push("0000".to_owned());
        if push_options {
            lines.extend(options.iter().filter(|option| !["0000", "0001"].contains(&option.as_str())).cloned());
            lines.push("0000".to_owned());
        }
        let lines: Vec<&str> = lines.iter().map(String::as_str).collect();
        let request = push(&packets(&lines));
        let mut again = push(&request.write());
        again.capabilities.agent = request.capabilities.agent.clone();
        prop_assert_eq!(again, request);
    }
}
