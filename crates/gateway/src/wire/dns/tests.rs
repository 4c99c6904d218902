//! Queries and answers as a DNS library writes and reads them, and queries as nobody should
//! write them.

use hickory_proto::op::{Edns, Message, MessageType, OpCode, Query, ResponseCode};
use hickory_proto::rr::{DNSClass, Name, RData, Record, RecordType};
use proptest::prelude::*;

use super::*;
use crate::wire::limits::DNS_NAMES;

fn query(name: &str, kind: RecordType) -> Message {
    let mut message = Message::new(4711, MessageType::Query, OpCode::Query);
    message.metadata.recursion_desired = true;
    message.add_query(Query::query(Name::from_ascii(name).unwrap(), kind));
    message
}

fn ask_message(message: &Message, names: &mut NameMap) -> Message {
    let answer = respond(&message.to_vec().unwrap(), names).unwrap();
    Message::from_vec(&answer).unwrap()
}

fn ask(name: &str, kind: RecordType, names: &mut NameMap) -> Message {
    let answer = ask_message(&query(name, kind), names);
    assert_eq!(answer.metadata.id, 4711);
    assert_eq!(answer.metadata.message_type, MessageType::Response);
    assert!(answer.metadata.recursion_desired && answer.metadata.recursion_available);
    assert!(!answer.metadata.truncation);
    answer
}

fn code_of(name: &str, kind: RecordType) -> ResponseCode {
    ask(name, kind, &mut NameMap::default())
        .metadata
        .response_code
}

fn address(answer: &Message) -> IpAddr {
    match answer.answers.as_slice() {
        [record] => match &record.data {
            RData::A(a) => a.0.into(),
            RData::AAAA(aaaa) => aaaa.0.into(),
            other => panic!("no address: {other:?}"),
        },
        other => panic!("not one record: {other:?}"),
    }
}

#[test]
fn answers_every_name_with_the_address_that_it_is_mapped_to() {
    let names = &mut NameMap::default();
    for name in [
        "example.com.",
        "a.b.c.example.",
        "xn--bcher-kva.example.",
        "intranet.",
    ] {
        for kind in [RecordType::A, RecordType::AAAA] {
            let answer = ask(name, kind, names);
            assert_eq!(answer.metadata.response_code, ResponseCode::NoError);
            assert_eq!(answer.answers[0].name, Name::from_ascii(name).unwrap());
            let found = names.name_of(address(&answer)).unwrap();
            assert_eq!(*found, name.parse().unwrap());
        }
    }
    assert_eq!(names.len(), 4);
}

#[test]
fn repeats_the_spelling_of_the_question() {
    let names = &mut NameMap::default();
    let answer = ask("eXaMpLe.CoM.", RecordType::A, names);
    assert_eq!(answer.queries[0].name.to_ascii(), "eXaMpLe.CoM.");
    let again = ask("EXAMPLE.com.", RecordType::A, names);
    assert_eq!(address(&answer), address(&again));
}

#[test]
fn maps_names_of_the_gateway_to_the_gateway() {
    let names = &mut NameMap::default();
    for name in [
        "ringfence.internal.",
        "web.ringfence.internal.",
        "x.git.ringfence.internal.",
        "x.y.Ringfence.Internal.",
    ] {
        assert_eq!(address(&ask(name, RecordType::A, names)), GATEWAY_V4);
        assert_eq!(address(&ask(name, RecordType::AAAA, names)), GATEWAY_V6);
    }
    for name in ["localhost.", "app.localhost."] {
        assert!(address(&ask(name, RecordType::A, names)).is_loopback());
        assert!(address(&ask(name, RecordType::AAAA, names)).is_loopback());
    }
    assert!(names.is_empty());
    for name in [
        "host.ringfence.internal.",
        "git.ringfence.internal.",
        "llm.ringfence.internal.",
        "notringfence.internal.",
        "alocalhost.",
    ] {
        let answered = address(&ask(name, RecordType::A, names));
        assert!(is_synthetic(answered) && !is_gateway(answered), "{name}");
    }
}

#[test]
fn has_no_other_records_for_names() {
    let names = &mut NameMap::default();
    for kind in [
        RecordType::HTTPS,
        RecordType::SVCB,
        RecordType::MX,
        RecordType::TXT,
        RecordType::SRV,
        RecordType::NS,
        RecordType::CNAME,
        RecordType::SOA,
        RecordType::NAPTR,
        RecordType::Unknown(65280),
    ] {
        let answer = ask("example.com.", kind, names);
        assert_eq!(answer.metadata.response_code, ResponseCode::NoError);
        assert!(answer.answers.is_empty() && answer.authorities.is_empty());
    }
    assert!(names.is_empty());
}

#[test]
fn knows_no_names_that_no_host_has() {
    let names = &mut NameMap::default();
    for labels in [
        &[][..],
        &[&b"_dmarc"[..], b"example", b"com"],
        &[b"_443", b"_tcp", b"example", b"com"],
        &[b"-a", b"example"],
        &[b"127", b"1"],
        &[b"192", b"0", b"2", b"1"],
        &[b"192.0.2.1"],
        &[b"[::1]"],
        &[b"xn--a", b"example"],
        &[b"evil\0", b"example", b"com"],
        &[b"evil\0.example", b"com"],
        &[b"example.com"],
        &[b"b\xc3\xbccher", b"example"],
        &[b"\xff", b"example"],
        &[b"a b", b"example"],
        &[b"something", b"invalid"],
        &[b"hidden", b"onion"],
        &[b"ipv4only", b"arpa"],
        &[b"1", b"2", b"0", b"192", b"in-addr", b"arpa"],
    ] {
        for kind in [RecordType::A, RecordType::AAAA, RecordType::TXT] {
            let mut message = query(".", kind);
            message.queries[0].name = Name::from_labels(labels.iter().copied()).unwrap();
            let code = ask_message(&message, names).metadata.response_code;
            assert_eq!(code, ResponseCode::NXDomain, "{labels:?}");
        }
    }
    assert!(names.is_empty());
}

#[test]
fn names_synthetic_addresses_and_no_others() {
    let names = &mut NameMap::default();
    let (v4, v6) = names.assign(&"example.com".parse().unwrap()).unwrap();
    for address in [IpAddr::from(v4), v6.into()] {
        let reverse = Name::from(address).to_ascii();
        let answer = ask(&reverse, RecordType::PTR, names);
        let expected = Name::from_ascii("example.com.").unwrap();
        assert!(matches!(&answer.answers[0].data, RData::PTR(name) if name.0 == expected));
    }
    for name in [
        "1.2.0.192.in-addr.arpa.",
        "1.0.18.198.in-addr.arpa.",
        "1.1.18.198.in-addr.arpa.",
        "00.1.18.198.in-addr.arpa.",
        "256.1.18.198.in-addr.arpa.",
        "0.0.1.18.198.in-addr.arpa.",
        "1.18.198.in-addr.arpa.",
        "in-addr.arpa.",
        "arpa.",
        "example.com.",
        ".",
    ] {
        let answer = ask(name, RecordType::PTR, names);
        assert_eq!(
            answer.metadata.response_code,
            ResponseCode::NXDomain,
            "{name}"
        );
    }
}

#[test]
fn refuses_what_it_does_not_do() {
    for kind in [
        RecordType::ANY,
        RecordType::AXFR,
        RecordType::IXFR,
        RecordType::OPT,
    ] {
        assert_eq!(
            code_of("example.com.", kind),
            ResponseCode::NotImp,
            "{kind}"
        );
    }
    let names = &mut NameMap::default();
    let mut chaos = query("version.bind.", RecordType::TXT);
    chaos.queries[0].set_query_class(DNSClass::CH);
    let answer = ask_message(&chaos, names);
    assert_eq!(answer.metadata.response_code, ResponseCode::Refused);
    for op_code in [OpCode::Update, OpCode::Notify, OpCode::Status] {
        let mut other = query("example.com.", RecordType::A);
        other.metadata.op_code = op_code;
        let answer = ask_message(&other, names);
        assert_eq!(answer.metadata.response_code, ResponseCode::NotImp);
        assert_eq!(answer.metadata.op_code, op_code);
    }
}

#[test]
fn refuses_records_that_no_query_needs() {
    let names = &mut NameMap::default();
    let name = Name::from_ascii("example.com.").unwrap();
    let record = Record::from_rdata(name.clone(), 1, RData::A(Ipv4Addr::LOCALHOST.into()));
    let mut two_questions = query("example.com.", RecordType::A);
    two_questions.add_query(Query::query(name, RecordType::AAAA));
    let mut no_question = query("example.com.", RecordType::A);
    no_question.queries.clear();
    let mut answered = query("example.com.", RecordType::A);
    answered.add_answer(record.clone());
    let mut authority = query("example.com.", RecordType::A);
    authority.add_authority(record.clone());
    let mut additional = query("example.com.", RecordType::A);
    additional.add_additional(record);
    for message in [two_questions, no_question, answered, authority, additional] {
        let answer = ask_message(&message, names);
        assert_eq!(answer.metadata.response_code, ResponseCode::FormErr);
        assert_eq!(answer.metadata.id, 4711);
    }
    assert!(names.is_empty());
}

#[test]
fn refuses_malformed_questions() {
    let names = &mut NameMap::default();
    let sound = query("example.com.", RecordType::A).to_vec().unwrap();
    let mut compressed = sound[..12].to_vec();
    compressed.extend_from_slice(&[0xc0, 0x0c, 0, 1, 0, 1]);
    let mut overlong = sound[..12].to_vec();
    overlong.extend((0..64).flat_map(|_| [3, b'a', b'b', b'c']));
    overlong.extend_from_slice(&[0, 0, 1, 0, 1]);
    let followed = [&sound[..], b"x"].concat();
    let huge = [&sound[..], &[0; DNS_QUERY_OCTETS]].concat();
    let claimed = [5, 7, 9, 11].map(|count| {
        let mut message = sound.clone();
        message[count] += 1;
        message
    });
    let cut = (12..sound.len()).map(|end| sound[..end].to_vec());
    for message in [compressed, overlong, followed, huge]
        .into_iter()
        .chain(claimed)
        .chain(cut)
    {
        let answer = Message::from_vec(&respond(&message, names).unwrap()).unwrap();
        assert_eq!(answer.metadata.response_code, ResponseCode::FormErr);
    }
    assert!(names.is_empty());
}

#[test]
fn stays_silent_to_what_is_no_query() {
    let names = &mut NameMap::default();
    let sound = query("example.com.", RecordType::A).to_vec().unwrap();
    for end in 0..12 {
        assert_eq!(respond(&sound[..end], names), None);
    }
    let answer = respond(&sound, names).unwrap();
    assert_eq!(respond(&answer, names), None);
}

#[test]
fn answers_edns_with_edns() {
    let names = &mut NameMap::default();
    let mut message = query("example.com.", RecordType::A);
    let mut edns = Edns::new();
    edns.set_max_payload(4096).set_dnssec_ok(true);
    message.set_edns(edns.clone());
    let answer = ask_message(&message, names);
    assert_eq!(answer.answers.len(), 1);
    assert_eq!(answer.edns.unwrap().version(), 0);
    edns.set_version(1);
    message.set_edns(edns);
    let answer = ask_message(&message, names);
    assert_eq!(u16::from(answer.metadata.response_code), 16, "BADVERS");
    assert!(answer.answers.is_empty());
}

#[test]
fn gives_no_addresses_when_the_map_is_full() {
    let mut names = NameMap::default();
    let all: Vec<_> = (0..DNS_NAMES)
        .map(|index| {
            names
                .assign(&format!("h{index}.example").parse().unwrap())
                .unwrap()
        })
        .collect();
    let answer = ask("one-more.example.", RecordType::A, &mut names);
    assert_eq!(answer.metadata.response_code, ResponseCode::ServFail);
    assert_eq!(names.len(), DNS_NAMES);
    let answer = ask("h0.example.", RecordType::A, &mut names);
    assert_eq!(address(&answer), all[0].0);
    for (index, (v4, v6)) in all.into_iter().enumerate() {
        for address in [IpAddr::from(v4), v6.into(), v4.to_ipv6_mapped().into()] {
            assert!(is_synthetic(address) && !is_gateway(address));
            let name = names.name_of(address).unwrap();
            assert_eq!(name.as_str(), format!("h{index}.example"));
        }
    }
}

#[test]
fn knows_which_addresses_are_its_own() {
    let names = NameMap::default();
    for (text, synthetic, gateway) in [
        ("198.18.0.1", true, true),
        ("::ffff:198.18.0.1", true, true),
        ("fd00:5afe::1", true, true),
        ("198.18.1.0", true, false),
        ("198.19.255.255", true, false),
        ("198.20.0.0", false, false),
        ("198.17.255.255", false, false),
        ("fd00:5afe:0:1::", true, false),
        ("fd00:5aff::", false, false),
        ("::1", false, false),
    ] {
        let address: IpAddr = text.parse().unwrap();
        assert_eq!(is_synthetic(address), synthetic, "{text}");
        assert_eq!(is_gateway(address), gateway, "{text}");
        assert_eq!(names.name_of(address), None);
    }
}

#[test]
fn frames_messages_over_tcp() {
    let mut wire = Vec::new();
    write_frame(b"abc", &mut wire);
    write_frame(b"d", &mut wire);
    for end in 0..5 {
        assert_eq!(read_frame(&wire[..end]), Ok(None));
    }
    assert_eq!(read_frame(&wire), Ok(Some((&b"abc"[..], 5))));
    assert_eq!(read_frame(&wire[5..]), Ok(Some((&b"d"[..], 3))));
    assert_eq!(read_frame(&[0, 0]), Err(FrameError));
    assert_eq!(read_frame(&[0x10, 1]), Err(FrameError));
    assert_eq!(read_frame(&[0x10, 0]), Ok(None));
}

proptest! {
    #[test]
    fn answers_to_anything_are_sound_and_small(
        noise in proptest::collection::vec(any::<u8>(), 0..300),
        labels in proptest::collection::vec(proptest::collection::vec(any::<u8>(), 1..64), 0..8),
        kind in any::<u16>(),
    ) {
        let mut message = vec![1, 2, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0];
        for label in &labels {
            message.push(u8::try_from(label.len()).unwrap());
            message.extend_from_slice(label);
        }
        message.push(0);
        message.extend_from_slice(&kind.to_be_bytes());
        message.extend_from_slice(&[0, 1]);
        let names = &mut NameMap::default();
        for query in [&noise, &message] {
            if let Some(answer) = respond(query, names) {
                prop_assert!(answer.len() < 512);
                prop_assert_eq!(&answer[..2], &query[..2]);
                prop_assert!(Message::from_vec(&answer).is_ok());
            }
        }
    }
}
