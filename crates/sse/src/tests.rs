use proptest::prelude::*;

use super::*;

fn events(pieces: &[&[u8]]) -> Vec<(String, String)> {
    let (mut parser, mut read) = (Parser::default(), Vec::new());
    let mut keep = |event: Event<'_>| {
        let data = String::from_utf8_lossy(event.data).into_owned();
        read.push((event.name.to_owned(), data));
    };
    for piece in pieces {
        parser.feed(piece, &mut keep);
    }
    parser.finish(&mut keep);
    read
}

fn one(name: &str, data: &str) -> (String, String) {
    (name.to_owned(), data.to_owned())
}

#[test]
fn events_are_read_as_the_standard_says() {
    let stream = b"\xef\xbb\xbf: comment\nevent: add\ndata: 1\ndata:2\ndata\n\nid: 7\nretry: 1\n\n\
        data:  x\r\n\r\ndata: y\r\rdatax: no\n\nevent: alone\n\ndata: [DONE]\n\ndata: behind";
    assert_eq!(
        events(&[stream]),
        [
            one("add", "1\n2\n"),
            one("", " x"),
            one("", "y"),
            one("", "[DONE]"),
            one("", "behind"),
        ]
    );
}

#[test]
fn cr_and_lf_together_end_one_line() {
    let stream = b"data: a\r\ndata: b\r\n\r\ndata: c\rdata: d\r\r";
    for size in 1..stream.len() {
        let pieces: Vec<&[u8]> = stream.chunks(size).collect();
        assert_eq!(events(&pieces), [one("", "a\nb"), one("", "c\nd")]);
    }
}

#[test]
fn an_event_that_is_too_long_passes_and_the_next_is_read() {
    let long = vec![b'x'; 300_000];
    let mut parser = Parser::default();
    let mut read = Vec::new();
    let mut keep = |event: Event<'_>| read.push(event.data.to_vec());
    parser.feed(b"data: ", &mut keep);
    for _ in 0..20 {
        parser.feed(&long, &mut keep);
        assert!(parser.line.capacity() <= 2 * EVENT_OCTETS);
    }
    parser.feed(b"\ndata: more\n\ndata: next\n\n", &mut keep);
    assert_eq!(read, [b"next".to_vec()]);
    assert!(parser.skipped() >= 6_000_000);
}

#[test]
fn an_event_of_many_lines_is_bounded_too() {
    let mut parser = Parser::default();
    let mut count = 0;
    let line = [&b"data: "[..], &[b'y'; 1000], b"\n"].concat();
    for _ in 0..8000 {
        parser.feed(&line, &mut |_| count += 1);
    }
    parser.feed(b"\ndata: z\n\n", &mut |_| count += 1);
    assert_eq!(count, 1);
}

proptest! {
    #[test]
    fn pieces_make_no_difference(
        text in "(data|event|:|d)?:? ?[a-z\u{e9}]{0,4}(\r|\n|\r\n|\n\n){0,2}(data: x(\r\n|\n){1,3}){0,3}",
        cut in 1..9usize,
    ) {
        let octets = text.repeat(2).into_bytes();
        let pieces: Vec<&[u8]> = octets.chunks(cut).collect();
        prop_assert_eq!(events(&pieces), events(&[&octets]));
    }
}

#[test]
fn an_event_can_be_put_behind_a_line_and_not_behind_a_part_of_one() {
    for (octets, takes) in [
        (&b""[..], true),
        (b"data: {\"a\"", false),
        (b"data: {}\n", true),
        (b"data: {}\n\n", true),
        (b"event: err", false),
        (b"data: {}\r", true),
    ] {
        let mut parser = Parser::default();
        parser.feed(octets, &mut |_| {});
        assert_eq!(parser.is_between_lines(), takes, "{octets:?}");
    }
    let mut parser = Parser::default();
    parser.feed(b"data: ", &mut |_| {});
    parser.feed(&vec![b'x'; 2 * EVENT_OCTETS], &mut |_| {});
    assert!(!parser.is_between_lines());
}

#[test]
fn an_event_is_written_as_it_is_read() {
    for event in [
        Event {
            name: "",
            data: b"",
            id: Some("a/1"),
            retry: None,
        },
        Event {
            name: "message",
            data: b"{}\n\n{}",
            id: None,
            retry: Some(30),
        },
    ] {
        let (mut parser, mut count) = (Parser::default(), 0);
        parser.feed(&event.write(), &mut |read| {
            assert_eq!(read, event);
            count += 1;
        });
        assert_eq!(count, 1);
    }
}

#[test]
fn an_id_is_of_its_event_alone() {
    let mut ids = Vec::new();
    Parser::default().feed(
        b"id: 1\ndata: x\n\ndata: y\n\nid: a\0b\ndata: z\n\n",
        &mut |it| {
            ids.push(it.id.map(str::to_owned));
        },
    );
    assert_eq!(ids, [Some("1".to_owned()), None, None]);
}
