use super::*;
use crate::limits::ADVERTISEMENT_OCTETS;

const A: &str = "1111111111111111111111111111111111111111";
const B: &str = "2222222222222222222222222222222222222222";
const NONE: &str = "0000000000000000000000000000000000000000";

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

fn filtered(
    service: GitService,
    offer: Offer,
    octets: &[u8],
    shows: impl Fn(&SeenRef<'_>) -> bool,
) -> Result<(Vec<u8>, Advertised), WireError> {
    let run = |size: usize| {
        let (mut filter, mut out) = (AdvertisementFilter::new(service, offer, &shows), Vec::new());
        for piece in octets.chunks(size) {
            filter.feed(piece, &mut out)?;
        }
        Ok((out, filter.finish()?.0))
    };
    let whole = run(octets.len().max(1));
    assert_eq!(whole, run(1));
    whole
}

const PUSH: GitService = GitService::ReceivePack;
const FETCH: GitService = GitService::UploadPack;

#[test]
fn a_push_is_offered_what_it_may_use() {
    let offered = packets(&[
        "# service=git-receive-pack\n",
        "0000",
        &format!(
            "{A} refs/heads/main\0report-status report-status-v2 delete-refs side-band-64k quiet atomic ofs-delta push-options object-format=sha1 agent=git/2.47.3 push-cert=nonce session-id=x unknown\n"
        ),
        &format!("{B} .have\n"),
        &format!("{B} refs/tags/v1\n"),
        "0000",
    ]);
    let shown = |offer, capabilities: &str| {
        let (out, advertised) = filtered(PUSH, offer, &offered, |_| true).unwrap();
        let expected = packets(&[
            "# service=git-receive-pack\n",
            "0000",
            &format!("{A} refs/heads/main\0{capabilities}\n"),
            &format!("{B} refs/tags/v1\n"),
            "0000",
        ]);
        assert_eq!(String::from_utf8(out), String::from_utf8(expected));
        assert_eq!(
            (advertised.version, advertised.refs),
            (ProtocolVersion::V0, 2)
        );
    };
    shown(
        Offer {
            no_thin: true,
            ..Offer::default()
        },
        "report-status report-status-v2 side-band-64k quiet atomic ofs-delta object-format=sha1 agent=git/2.47.3 no-thin",
    );
    shown(
        Offer {
            push_options: true,
            deletes: true,
            no_thin: false,
        },
        "report-status report-status-v2 delete-refs side-band-64k quiet atomic ofs-delta push-options object-format=sha1 agent=git/2.47.3",
    );
}

#[test]
fn a_fetch_of_the_first_protocol_shows_what_may_be_shown() {
    let offered = packets(&[
        "# service=git-upload-pack\n",
        "0000",
        "version 1\n",
        &format!(
            "{A} HEAD\0multi_ack side-band-64k packfile-uris bundle-uri symref=HEAD:refs/heads/secret symref=refs/x:refs/heads/main session-id=1 object-format=sha1 agent=git/\x1b2\n"
        ),
        &format!("{A} refs/heads/main\n"),
        &format!("{B} refs/heads/secret\n"),
        &format!("{B} refs/tags/v1\n"),
        &format!("{A} refs/tags/v1^{{}}\n"),
        &format!("{B} refs/heads/\x1b\n"),
        &format!("shallow {A}\n"),
        "0000",
    ]);
    let shows = |seen: &SeenRef<'_>| {
        let is_secret = |name: &str| name.ends_with("secret");
        !is_secret(seen.name) && !seen.target.is_some_and(is_secret)
    };
    let (out, advertised) = filtered(FETCH, Offer::default(), &offered, shows).unwrap();
    let expected = packets(&[
        "# service=git-upload-pack\n",
        "0000",
        "version 1\n",
        &format!(
            "{A} refs/heads/main\0multi_ack side-band-64k symref=refs/x:refs/heads/main object-format=sha1\n"
        ),
        &format!("{B} refs/tags/v1\n"),
        &format!("{A} refs/tags/v1^{{}}\n"),
        &format!("shallow {A}\n"),
        "0000",
    ]);
    assert_eq!(String::from_utf8(out), String::from_utf8(expected));
    assert_eq!(
        (advertised.version, advertised.refs),
        (ProtocolVersion::V1, 3)
    );
}

#[test]
fn where_no_ref_is_shown_the_capabilities_are() {
    let none = format!("{NONE} capabilities^{{}}\0ofs-delta\n");
    let empty = packets(&[&none, "0000"]);
    let (out, advertised) = filtered(PUSH, Offer::default(), &empty, |_| true).unwrap();
    assert_eq!((out, advertised.refs), (empty.clone(), 0));
    let hidden = packets(&[
        &format!("{A} refs/heads/a\0ofs-delta"),
        &format!("{A} refs/heads/b"),
        "0000",
    ]);
    assert_eq!(
        filtered(PUSH, Offer::default(), &hidden, |_| false)
            .unwrap()
            .0,
        empty
    );
}

#[test]
fn protocol_2_offers_two_commands() {
    let offered = packets(&[
        "version 2\n",
        "agent=git/2.47.3\n",
        "ls-refs=unborn\n",
        "fetch=shallow wait-for-done filter packfile-uris sideband-all ref-in-want\n",
        "server-option\n",
        "object-format=sha256\n",
        "object-info\n",
        "bundle-uri\n",
        "session-id=x\n",
        "promisor-remote=name=x,url=https://evil.example,token=t\n",
        "0000",
    ]);
    let (out, advertised) = filtered(FETCH, Offer::default(), &offered, |_| true).unwrap();
    let expected = packets(&[
        "version 2\n",
        "agent=git/2.47.3\n",
        "ls-refs=unborn\n",
        "fetch=shallow wait-for-done filter ref-in-want\n",
        "object-format=sha256\n",
        "0000",
    ]);
    assert_eq!(String::from_utf8(out), String::from_utf8(expected));
    assert_eq!(
        (advertised.version, advertised.object_format),
        (ProtocolVersion::V2, ObjectFormat::Sha256)
    );
    let named = packets(&[
        "# service=git-upload-pack\n",
        "0000",
        "version 2\n",
        "fetch=packfile-uris\n",
        "ls-refs=x\n",
        "0000",
    ]);
    let (out, _) = filtered(FETCH, Offer::default(), &named, |_| true).unwrap();
    assert_eq!(
        out,
        packets(&[
            "# service=git-upload-pack\n",
            "0000",
            "version 2\n",
            "fetch\n",
            "ls-refs\n",
            "0000"
        ])
    );
}

#[test]
fn an_offer_that_is_none_is_refused() {
    let first = format!("{A} refs/heads/a\0ofs-delta\n");
    for lines in [
        vec!["# service=git-upload-pack\n", "0000", &first, "0000"],
        vec!["# service=git-receive-pack\n", &first, "0000"],
        vec!["version 2\n", "0000"],
        vec!["0000"],
        vec!["version 3\n", "0000"],
        vec!["<html>", "0000"],
        vec![&first, "0001"],
        vec![&first, "0000", "0000"],
        vec![&first, "nonsense", "0000"],
        vec![&first, "1234 refs/heads/b", "0000"],
        vec![
            &first,
            &format!("shallow {A}"),
            &format!("{B} refs/heads/b"),
            "0000",
        ],
        vec![&format!("{A} refs/heads/a\n"), "0000"],
        vec![&format!("{A} refs/heads/a\0object-format=md5"), "0000"],
        vec![&format!("{A} refs/heads/a\0object-format=sha256"), "0000"],
        vec![&first],
        vec![],
    ] {
        assert!(
            filtered(PUSH, Offer::default(), &packets(&lines), |_| true).is_err(),
            "{lines:?}"
        );
    }
    assert_eq!(
        filtered(
            PUSH,
            Offer::default(),
            &packets(&["# service=git-receive-pack\n", "0000", "ERR \x1bgone\n"]),
            |_| true
        ),
        Err(WireError::Remote("gone".to_owned()))
    );
}

#[test]
fn an_offer_that_never_ends_is_cut() {
    let mut filter = AdvertisementFilter::new(PUSH, Offer::default(), |_: &SeenRef<'_>| true);
    let mut out = Vec::new();
    filter
        .feed(
            &packets(&[&format!("{A} refs/heads/a\0ofs-delta\n")]),
            &mut out,
        )
        .unwrap();
    let piece = packets(&[&format!("{A} refs/heads/{}", "a".repeat(60_000))]);
    let most = ADVERTISEMENT_OCTETS / piece.len() as u64;
    let ended = (0..=most).find_map(|_| filter.feed(&piece, &mut out).err());
    assert!(matches!(ended, Some(WireError::TooLarge(_))));
    let mut many = vec!["version 2\n"];
    many.extend(["unknown\n"; CAPABILITY_LINES + 1]);
    let read = filtered(FETCH, Offer::default(), &packets(&many), |_| true);
    assert!(matches!(read, Err(WireError::TooLarge(_))));
}
