use proptest::prelude::*;

use super::*;
use crate::limits::{FETCH_OIDS, FILTER_OCTETS};
use crate::wire::pkt;

const A: &str = "1111111111111111111111111111111111111111";
const B: &str = "2222222222222222222222222222222222222222";

/// Packets of these lines; `0000` and the like are themselves.
fn packets(lines: &[&str]) -> Vec<u8> {
    let mut out = Vec::new();
    for line in lines {
        match *line {
            "0000" | "0001" | "0002" | "0004" => out.extend_from_slice(line.as_bytes()),
            line => pkt::write_data(line.as_bytes(), &mut out),
        }
    }
    out
}

fn v2(lines: &[&str]) -> Result<FetchRequest, WireError> {
    FetchRequest::parse(ProtocolVersion::V2, &packets(lines))
}

fn v0(lines: &[&str]) -> Result<FetchRequest, WireError> {
    FetchRequest::parse(ProtocolVersion::V0, &packets(lines))
}

fn fetch(request: FetchRequest) -> Fetch {
    match request {
        FetchRequest::Fetch(fetch) => *fetch,
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_list_of_refs_is_read_and_written_anew() {
    let lines = [
        "command=ls-refs\n",
        "agent=git/2.47.3",
        "object-format=sha1",
        "0001",
        "symrefs\n",
        "peel\n",
        "unborn\n",
        "ref-prefix refs/heads/\n",
        "ref-prefix HEAD",
        "0000",
    ];
    let FetchRequest::ListRefs(list) = v2(&lines).unwrap() else {
        panic!("not a list of refs");
    };
    assert!(list.peel && list.symrefs && list.unborn);
    assert_eq!(list.prefixes, ["refs/heads/", "HEAD"]);
    let agent = format!("agent=ringfence/{}\n", env!("CARGO_PKG_VERSION"));
    let written = packets(&[
        "command=ls-refs\n",
        &agent,
        "object-format=sha1\n",
        "0001",
        "peel\n",
        "symrefs\n",
        "unborn\n",
        "ref-prefix refs/heads/\n",
        "ref-prefix HEAD\n",
        "0000",
    ]);
    assert_eq!(list.write(), written);
    let FetchRequest::ListRefs(all) = v2(&["command=ls-refs", "0000"]).unwrap() else {
        panic!("not a list of refs");
    };
    assert_eq!(all, ListRefs::new(ObjectFormat::Sha1, Vec::new()));
}

#[test]
fn a_fetch_is_read_whole() {
    let fetch = fetch(
        v2(&[
            "command=fetch",
            "agent=git/2.47.3",
            "object-format=sha1",
            "0001",
            "thin-pack",
            "no-progress",
            "include-tag",
            "ofs-delta",
            &format!("shallow {B}\n"),
            "deepen 3\n",
            "deepen-relative",
            "deepen-since 1700000000",
            "deepen-not refs/tags/v1",
            "filter blob:none\n",
            &format!("want {A}\n"),
            "want-ref refs/heads/main\n",
            &format!("have {B}\n"),
            "wait-for-done",
            "done\n",
            "0000",
        ])
        .unwrap(),
    );
    assert_eq!(
        fetch.form,
        Form::V2 {
            wait_for_done: true
        }
    );
    assert_eq!(
        (fetch.wants.len(), fetch.want_refs.len(), fetch.haves.len()),
        (1, 1, 1)
    );
    assert_eq!(fetch.deepen.depth, Some(3));
    assert_eq!(fetch.deepen.since, Some(1_700_000_000));
    assert!(fetch.deepen.is_any() && fetch.deepen.relative && fetch.done);
    assert_eq!(fetch.filter.as_deref(), Some("blob:none"));
    let again = FetchRequest::parse(ProtocolVersion::V2, &fetch.write()).unwrap();
    assert_eq!(again, FetchRequest::Fetch(Box::new(fetch)));
}

#[test]
fn what_leads_elsewhere_is_refused_though_a_server_would_do_it() {
    let want = format!("want {A}");
    for lines in [
        vec!["command=bundle-uri", "0000"],
        vec!["command=object-info", "0001", "size", "0000"],
        vec!["command=cap", "0000"],
        vec!["command=ls-refs", "server-option=x", "0000"],
        vec![
            "command=fetch",
            "server-option=ci.skip",
            "0001",
            &want,
            "0000",
        ],
        vec!["command=fetch", "session-id=x", "0001", &want, "0000"],
        vec![
            "command=fetch",
            "promisor-remote=name=x",
            "0001",
            &want,
            "0000",
        ],
        vec![
            "command=fetch",
            "0001",
            &want,
            "packfile-uris https",
            "0000",
        ],
        vec!["command=fetch", "0001", &want, "sideband-all", "0000"],
        vec!["command=fetch", "0001", &want, "unknown", "0000"],
        vec!["command=fetch", "0001", &want, "unknown x", "0000"],
        vec!["command=ls-refs", "0001", "unknown", "0000"],
        vec!["command=ls-refs", "command=fetch", "0000"],
    ] {
        assert!(
            matches!(v2(&lines), Err(WireError::Refused(_))),
            "{lines:?}"
        );
    }
}

#[test]
fn a_command_that_could_be_read_in_two_ways_is_refused() {
    let want = format!("want {A}");
    let upper = format!("want {}", A.replace('1', "A"));
    let long = format!("want {}", "1".repeat(64));
    for lines in [
        vec!["0001", "command=fetch", "0000"],
        vec!["agent=x", "command=ls-refs", "0000"],
        vec!["command=ls-refs"],
        vec!["command=ls-refs", "0001"],
        vec!["command=ls-refs", "0002"],
        vec!["command=ls-refs", "0000", "0000"],
        vec!["command=ls-refs", "0000", "command=fetch", "0000"],
        vec!["command=ls-refs", "0001", "peel", "0001", "0000"],
        vec!["command=ls-refs", "0004", "0000"],
        vec!["command=ls-refs\n\n", "0000"],
        vec!["command=ls-refs", "0001", "ref-prefix ", "0000"],
        vec!["command=ls-refs", "0001", "ref-prefix a b", "0000"],
        vec!["command=ls-refs", "0001", "ref-prefix a\x1b", "0000"],
        vec!["command=fetch", "0001", "done", "0000"],
        vec!["command=fetch", "0000"],
        vec!["command=fetch", "0001", &upper, "0000"],
        vec!["command=fetch", "0001", &long, "0000"],
        vec!["command=fetch", "0001", &want, "deepen 0", "0000"],
        vec!["command=fetch", "0001", &want, "deepen 03", "0000"],
        vec!["command=fetch", "0001", &want, "deepen +3", "0000"],
        vec![
            "command=fetch",
            "0001",
            &want,
            "deepen 3",
            "deepen 4",
            "0000",
        ],
        vec!["command=fetch", "0001", &want, "filter ", "0000"],
        vec!["command=fetch", "0001", &want, "filter a b", "0000"],
        vec![
            "command=fetch",
            "0001",
            &want,
            "filter a",
            "filter b",
            "0000",
        ],
        vec!["command=fetch", "0001", "want-ref main", "0000"],
        vec![
            "command=fetch",
            "object-format=sha1",
            "object-format=sha1",
            "0001",
            &want,
            "0000",
        ],
    ] {
        assert!(v2(&lines).is_err(), "{lines:?}");
    }
    assert!(FetchRequest::parse(ProtocolVersion::V2, b"0014COMMAND=ls-refs\n0000").is_err());
    assert!(FetchRequest::parse(ProtocolVersion::V2, b"001Bcommand=ls-refsxxxxxxx0000").is_err());
    assert!(FetchRequest::parse(ProtocolVersion::V2, b"").is_err());
}

#[test]
fn a_fetch_of_the_first_protocol_is_read_and_written_anew() {
    let fetch = fetch(
        v0(&[
            &format!("want {A} multi_ack_detailed no-done side-band-64k thin-pack no-progress include-tag ofs-delta deepen-since deepen-not agent=git/2.47.3\n"),
            &format!("want {B}\n"), &format!("shallow {B}"), "deepen 2147483647\n", "filter blob:none", "0000",
            &format!("have {A}\n"), &format!("have {B}\n"), "done\n",
        ])
        .unwrap(),
    );
    assert_eq!(
        fetch.form,
        Form::Legacy {
            acks: Acks::Detailed,
            no_done: true,
            side_band: Some(SideBand::Large)
        }
    );
    assert_eq!(
        (fetch.wants.len(), fetch.haves.len(), fetch.done),
        (2, 2, true)
    );
    let version = env!("CARGO_PKG_VERSION");
    let written = packets(&[
        &format!(
            "want {A} multi_ack_detailed no-done side-band-64k thin-pack no-progress include-tag ofs-delta filter object-format=sha1 agent=ringfence/{version}\n"
        ),
        &format!("want {B}\n"),
        &format!("shallow {B}\n"),
        "deepen 2147483647\n",
        "filter blob:none\n",
        "0000",
        &format!("have {A}\n"),
        &format!("have {B}\n"),
        "done\n",
    ]);
    assert_eq!(fetch.write(), written);
    for tail in [vec!["0000"], vec!["0000", "0000"], vec!["0000", "done"]] {
        let want = format!("want {A}");
        let lines = [vec![want.as_str()], tail].concat();
        assert!(v0(&lines).is_ok(), "{lines:?}");
    }
}

#[test]
fn a_fetch_of_the_first_protocol_that_could_be_read_in_two_ways_is_refused() {
    let (want, have) = (format!("want {A}"), format!("have {A}"));
    for lines in [
        vec!["done"],
        vec!["0000", &have, "done"],
        vec![&want],
        vec![&have, "0000"],
        vec!["deepen 1", &want, "0000"],
        vec![&want, &have, "done"],
        vec![&want, "0001", "done"],
        vec![&want, "0000", &want, "done"],
        vec![&want, "0000", "0000", &have, "done"],
        vec![&want, "0000", "done", "0000"],
        vec![&want, "0000", "done", &have],
        vec![&want, "packfile-uris https", "0000"],
        vec![&want, "0000", "0004", "done"],
        vec!["command=ls-refs", "0000"],
    ] {
        assert!(v0(&lines).is_err(), "{lines:?}");
    }
    for capabilities in [
        "session-id=x",
        "object-format=md5",
        "object-format",
        "object-format=sha256",
    ] {
        let line = format!("want {A} {capabilities}");
        assert!(v0(&[&line, "0000", "done"]).is_err(), "{capabilities}");
    }
}

#[test]
fn a_version_is_read_as_itself() {
    assert!(
        FetchRequest::parse(ProtocolVersion::V0, &packets(&["command=ls-refs", "0000"])).is_err()
    );
    assert!(
        FetchRequest::parse(
            ProtocolVersion::V2,
            &packets(&[&format!("want {A}"), "0000", "done"])
        )
        .is_err()
    );
    for version in [
        ProtocolVersion::V0,
        ProtocolVersion::V1,
        ProtocolVersion::V2,
    ] {
        let probe = FetchRequest::parse(version, b"0000").unwrap();
        assert_eq!(
            (probe.write(), &probe),
            (b"0000".to_vec(), &FetchRequest::Probe)
        );
    }
}

#[test]
fn a_fetch_is_bounded() {
    let line = packets(&[&format!("have {A}")]);
    let mut body = packets(&["command=fetch", "0001", &format!("want {A}")]);
    body.extend(line.repeat(FETCH_OIDS + 1));
    let read = FetchRequest::parse(ProtocolVersion::V2, &body);
    assert!(matches!(read, Err(WireError::TooLarge(_))));
    let huge = vec![b'0'; FETCH_REQUEST_OCTETS + 1];
    assert!(matches!(
        FetchRequest::parse(ProtocolVersion::V0, &huge),
        Err(WireError::TooLarge(_))
    ));
    let filter = format!("filter {}", "x".repeat(FILTER_OCTETS + 1));
    assert!(
        v2(&[
            "command=fetch",
            "0001",
            &format!("want {A}"),
            &filter,
            "0000"
        ])
        .is_err()
    );
}

prop_compose! {
    fn any_fetch()(
        flags in any::<[bool; 7]>(),
        counts in prop::array::uniform4(0usize..3),
        deepen in (prop::option::of(1u64..9), prop::option::of(1u64..9)),
        legacy in prop::option::of((0usize..3, any::<bool>(), 0usize..3)),
        filter in prop::option::of(
            "blob:none|blob:limit=[1-9][0-9]{0,3}[kmg]?|tree:[0-9]|object:type=(blob|tag)|combine:blob:none\\+tree:2",
        ),
        is_long in any::<bool>(),
    ) -> Fetch {
        let [thin_pack, no_progress, include_tag, ofs_delta, done, relative, wait_for_done] = flags;
        let format = if is_long { ObjectFormat::Sha256 } else { ObjectFormat::Sha1 };
        let oids = |count| vec![A.repeat(2)[..format.digits()].parse().unwrap(); count];
        let [wants, haves, shallow, not] = counts;
        Fetch {
            form: match legacy {
                None => Form::V2 { wait_for_done },
                Some((acks, no_done, band)) => Form::Legacy {
                    acks: [Acks::Single, Acks::Multi, Acks::Detailed][acks],
                    no_done,
                    side_band: [None, Some(SideBand::Small), Some(SideBand::Large)][band],
                },
            },
            wants: oids(wants + 1),
            haves: oids(haves),
            shallow: oids(shallow),
            deepen: Deepen { depth: deepen.0, relative, since: deepen.1, not: vec!["v1".to_owned(); not] },
            filter, thin_pack, no_progress, include_tag, ofs_delta, done,
            ..Fetch::new(format)
        }
    }
}

proptest! {
    #[test]
    fn what_is_written_is_read_the_same(fetch in any_fetch()) {
        let version = match fetch.form {
            Form::V2 { .. } => ProtocolVersion::V2,
            Form::Legacy { .. } => ProtocolVersion::V1,
        };
        let again = FetchRequest::parse(version, &fetch.write());
        prop_assert_eq!(again, Ok(FetchRequest::Fetch(Box::new(fetch))));
    }
}

#[test]
fn a_filter_that_names_a_file_is_refused_in_every_spelling() {
    let want = format!("want {A}");
    let read = |filter: &str| {
        let filter = format!("filter {filter}");
        let lines = ["command=fetch", "0001", &want, &filter, "0000"];
        v2(&lines)
    };
    for filter in ["blob:none", "blob:limit=1m", "tree:0", "object:type=commit"] {
        assert!(read(filter).is_ok(), "{filter}");
        assert!(
            read(&format!("combine:{filter}+blob:none")).is_ok(),
            "{filter}"
        );
    }
    for filter in [
        "sparse:oid=refs/heads/secret:plan",
        "sparse:path=plan",
        "combine:sparse:oid=x+blob:none",
        "combine:%73parse:oid=x+blob:none",
        "combine:combine:sparse:oid=x",
        "combine:",
        "auto",
        "blob:limit=",
        "tree:",
        "tree:-1",
        "tree:0 x",
    ] {
        assert!(read(filter).is_err(), "{filter}");
    }
}
