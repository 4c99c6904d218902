use proptest::prelude::*;

use super::frame::{FrameError, Header, Opcode, Order};
use super::relay::Way;
use crate::Meter;
use crate::forward::withheld::Withholding;
use crate::forward::withheld::tests::withholding;

fn read(octets: &[u8], masked: bool) -> Result<Option<(Header, usize)>, FrameError> {
    Header::read(octets, masked)
}

#[test]
fn frames_that_could_be_read_in_two_ways_are_refused() {
    for (octets, masked, expected) in [
        (&[0xc1, 0x00][..], false, FrameError::Reserved),
        (&[0x83, 0x00], false, FrameError::Opcode),
        (&[0x8b, 0x00], false, FrameError::Opcode),
        (&[0x81, 0x80, 0, 0, 0, 0], false, FrameError::Mask),
        (&[0x81, 0x00], true, FrameError::Mask),
        (&[0x09, 0x00], false, FrameError::Control),
        (&[0x89, 0x7e, 0, 126], false, FrameError::Control),
        (&[0x82, 0x7e, 0, 125], false, FrameError::Length),
        (
            &[0x82, 0x7f, 0, 0, 0, 0, 0, 0, 0xff, 0xff],
            false,
            FrameError::Length,
        ),
        (
            &[0x82, 0x7f, 0x80, 0, 0, 0, 0, 1, 0, 0],
            false,
            FrameError::Length,
        ),
    ] {
        assert_eq!(read(octets, masked), Err(expected), "{octets:x?}");
    }
}

#[test]
fn the_frames_of_a_message_come_in_order_and_within_its_limit() {
    let frame = |opcode, last, length| Header {
        last,
        opcode,
        mask: None,
        length,
    };
    let mut order = Order::new(10);
    let mut admit = |header| order.admit(&header);
    assert_eq!(
        admit(frame(Opcode::Continuation, true, 1)),
        Err(FrameError::Order)
    );
    assert_eq!(admit(frame(Opcode::Text, false, 6)), Ok(()));
    assert_eq!(admit(frame(Opcode::Ping, true, 100)), Ok(()));
    assert_eq!(
        admit(frame(Opcode::Binary, true, 1)),
        Err(FrameError::Order)
    );
    assert_eq!(admit(frame(Opcode::Continuation, false, 4)), Ok(()));
    let over = admit(frame(Opcode::Continuation, true, 1));
    assert_eq!(over, Err(FrameError::TooLong(10)));
    let huge = frame(Opcode::Continuation, true, u64::MAX);
    assert_eq!(admit(huge), Err(FrameError::TooLong(10)));
}

/// Lengths of each of the three forms.
fn lengths() -> impl Strategy<Value = u64> {
    prop_oneof![0..126_u64, 126..0x1_0000_u64, 0x1_0000..1_u64 << 40]
}

proptest! {
    #[test]
    fn a_head_is_what_was_written(
        last: bool, number in 0..6_usize, mask: Option<[u8; 4]>, length in lengths(),
    ) {
        let opcode = [
            Opcode::Continuation, Opcode::Text, Opcode::Binary, Opcode::Close, Opcode::Ping, Opcode::Pong,
        ][number];
        let control = opcode.is_control();
        let header = Header {
            last: last || control,
            opcode,
            mask,
            length: if control { length % 126 } else { length },
        };
        let mut octets = Vec::new();
        header.write(&mut octets);
        let whole = octets.len();
        prop_assert_eq!(read(&octets, mask.is_some()), Ok(Some((header, whole))));
        for cut in 0..whole {
            prop_assert_eq!(read(&octets[..cut], mask.is_some()), Ok(None));
        }
    }
}

/// The messages that come out where these frames go in, in pieces of `size` octets.
async fn pass(
    frames: &[(Opcode, bool, &str)],
    size: usize,
    withholding: Option<Withholding>,
) -> Vec<(Opcode, String)> {
    let mut wire = Vec::new();
    for (opcode, last, text) in frames {
        let header = Header {
            last: *last,
            opcode: *opcode,
            mask: None,
            length: text.len() as u64,
        };
        header.write(&mut wire);
        wire.extend_from_slice(text.as_bytes());
    }
    let mut source = drip(wire, size);
    let mut out = Vec::new();
    let meter = Meter::default();
    let way = Way {
        up: false,
        limit: 1 << 20,
        meter: &meter,
        withholding,
    };
    way.pass(&mut source, &mut out).await.unwrap();
    messages(&out)
}

/// A reader that gives `size` octets at a time.
fn drip(octets: Vec<u8>, size: usize) -> impl tokio::io::AsyncRead + Unpin {
    struct Drip(Vec<u8>, usize, usize);
    impl tokio::io::AsyncRead for Drip {
        fn poll_read(
            mut self: std::pin::Pin<&mut Self>,
            _: &mut std::task::Context<'_>,
            buf: &mut tokio::io::ReadBuf<'_>,
        ) -> std::task::Poll<std::io::Result<()>> {
            let from = self.1;
            let until = (from + self.2.min(buf.remaining())).min(self.0.len());
            buf.put_slice(&self.0[from..until]);
            self.1 = until;
            std::task::Poll::Ready(Ok(()))
        }
    }
    Drip(octets, 0, size)
}

fn messages(mut octets: &[u8]) -> Vec<(Opcode, String)> {
    let mut messages: Vec<(Opcode, String)> = Vec::new();
    let mut open = false;
    while let Some((header, used)) = read(octets, false).unwrap() {
        let end = used + usize::try_from(header.length).unwrap();
        let text = std::str::from_utf8(&octets[used..end]).unwrap();
        if header.opcode == Opcode::Continuation {
            assert!(open);
            messages.last_mut().unwrap().1.push_str(text);
        } else {
            messages.push((header.opcode, text.to_owned()));
        }
        if !header.opcode.is_control() {
            open = !header.last;
        }
        octets = &octets[end..];
    }
    assert!(octets.is_empty() && !open);
    messages
}

#[tokio::test]
async fn a_value_is_found_across_the_frames_of_a_message() {
    let withholding = Some(withholding("hunter2-hunter2"));
    let frames = [
        (Opcode::Text, false, "say hunt"),
        (Opcode::Continuation, false, "er2-hun"),
        (Opcode::Continuation, false, ""),
        (Opcode::Continuation, true, "ter2 end"),
        (Opcode::Ping, true, "hunter2-hunter2"),
        (Opcode::Binary, true, "hunter2-hunter2"),
        (Opcode::Binary, true, ""),
        (Opcode::Close, true, "\x03\x01hunter2-hunter2"),
    ];
    let redacted = "REDACTED-BY-RINGFENCE".to_owned();
    for size in [1, 3, 1000] {
        let passed = pass(&frames, size, withholding.clone()).await;
        let expected = [
            (Opcode::Text, format!("say {redacted} end")),
            (Opcode::Ping, String::new()),
            (Opcode::Binary, redacted.clone()),
            (Opcode::Binary, String::new()),
            (Opcode::Close, "\x03\x01".to_owned()),
        ];
        assert_eq!(passed, expected);
    }
}

#[tokio::test]
async fn without_values_frames_pass_as_they_are() {
    let frames = [
        (Opcode::Text, false, "one "),
        (Opcode::Continuation, true, "two"),
        (Opcode::Pong, true, ""),
        (Opcode::Binary, true, ""),
    ];
    for size in [1, 3, 1000] {
        let passed = pass(&frames, size, None).await;
        let expected = [
            (Opcode::Text, "one two".to_owned()),
            (Opcode::Pong, String::new()),
            (Opcode::Binary, String::new()),
        ];
        assert_eq!(passed, expected);
    }
}

#[tokio::test]
async fn frames_are_as_long_whatever_a_guess_is() {
    let withholding = Some(withholding("hunter2-hunter2"));
    let lengths = async |guess: &str| {
        let one = format!("{}{guess}", ".".repeat(600 - guess.len()));
        let wire = |last, opcode| {
            let mut wire = Vec::new();
            let header = Header {
                last,
                opcode,
                mask: None,
                length: 600,
            };
            header.write(&mut wire);
            wire.extend_from_slice(one.as_bytes());
            wire
        };
        let wire = [wire(false, Opcode::Text), wire(true, Opcode::Continuation)].concat();
        let (mut out, meter) = (Vec::new(), Meter::default());
        let way = Way {
            up: false,
            limit: 1 << 20,
            meter: &meter,
            withholding: withholding.clone(),
        };
        way.pass(drip(wire, 250), &mut out).await.unwrap();
        let (mut rest, mut lengths) = (out.as_slice(), Vec::new());
        while let Some((header, used)) = read(rest, false).unwrap() {
            lengths.push(header.length);
            rest = &rest[used + usize::try_from(header.length).unwrap()..];
        }
        lengths
    };
    let expected = lengths("").await;
    assert!(expected.len() > 3, "{expected:?}");
    for guess in [
        "h",
        "hunter2-hunter",
        "aHVudGVyMi1o",
        "68756e746572",
        "%68unter2",
    ] {
        assert_eq!(lengths(guess).await, expected, "{guess}");
    }
}
