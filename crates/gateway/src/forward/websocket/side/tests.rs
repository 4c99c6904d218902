use proptest::prelude::*;
use tokio::io::{DuplexStream, duplex};

use super::*;
use crate::limits::ROOM_OF_SESSION;
use crate::testing::Stack;

const LONGEST: u64 = 1 << 20;

fn side(is_client: bool) -> (Side<DuplexStream>, DuplexStream) {
    let (near, far) = duplex(1 << 16);
    let bounds = Bounds {
        is_client,
        longest: LONGEST,
        room: |octets| octets * 2,
    };
    (Side::new(near, bounds), far)
}

/// A frame of a client.
fn frame(opcode: u8, last: bool, payload: &[u8]) -> Vec<u8> {
    let mask = [7, 0, 200, 3];
    let mut out = vec![opcode | if last { 0x80 } else { 0 }];
    match u8::try_from(payload.len()) {
        Ok(short @ 0..=125) => out.push(0x80 | short),
        _ => {
            out.push(0x80 | 126);
            out.extend(u16::try_from(payload.len()).unwrap().to_be_bytes());
        }
    }
    out.extend(mask);
    out.extend(
        payload
            .iter()
            .zip(mask.iter().cycle())
            .map(|(octet, key)| octet ^ key),
    );
    out
}

fn stack() -> Stack {
    Stack::new("  - allow: { host: api.test }")
}

async fn all(side: &mut Side<DuplexStream>, stack: &Stack) -> Vec<Result<Got, Bad>> {
    let mut got = Vec::new();
    loop {
        let next = side.next((&stack.gateway, &stack.session), |_| {}).await;
        let is_over = matches!(next, Ok(Got::End) | Err(_));
        got.push(next);
        if is_over {
            return got;
        }
    }
}

fn shown(got: &[Result<Got, Bad>]) -> Vec<String> {
    let text = |octets: &[u8]| String::from_utf8_lossy(octets).into_owned();
    let one = |it: &Result<Got, Bad>| match it {
        Ok(Got::Text(it)) => format!("text {}", text(&it.octets)),
        Ok(Got::Ping(it)) => format!("ping {}", text(it)),
        Ok(Got::Close(code, reason)) => format!("close {code:?} {}", text(reason)),
        Ok(Got::End) => "end".to_owned(),
        Err(bad) => format!("{}", bad.code()),
    };
    got.iter().map(one).collect()
}

async fn read(octets: &[u8], step: usize) -> Vec<String> {
    let stack = stack();
    let (mut side, mut far) = side(true);
    let writing = async {
        for piece in octets.chunks(step.max(1)) {
            if far.write_all(piece).await.is_err() {
                break;
            }
            tokio::task::yield_now().await;
        }
        drop(far);
    };
    let reading = async {
        let got = all(&mut side, &stack).await;
        drop(side);
        shown(&got)
    };
    tokio::join!(writing, reading).1
}

#[tokio::test]
async fn a_message_is_put_together_whatever_comes_between() {
    let octets = [
        frame(1, false, "h\u{fc}".as_bytes().get(..2).unwrap()),
        frame(9, true, b"p"),
        frame(0, false, b""),
        frame(10, true, b"q"),
        frame(0, true, &"h\u{fc}".as_bytes()[2..]),
        frame(8, true, &[&[3, 232][..], b"bye"].concat()),
    ]
    .concat();
    for step in [1, 2, 3, 1000] {
        let got = read(&octets, step).await;
        assert_eq!(
            got,
            ["ping p", "text h\u{fc}", "close Some(1000) bye", "end"]
        );
    }
}

#[tokio::test]
async fn what_may_not_be_is_told_by_its_code() {
    for (octets, code) in [
        (frame(2, true, b"x"), "1002 1003"),
        (frame(1, true, b"\xff"), "1007"),
        (frame(0, true, b"x"), "1002"),
        (
            [frame(1, false, b"x"), frame(1, true, b"x")].concat(),
            "1002",
        ),
        (frame(9, false, b"x"), "1002"),
        (frame(8, true, b"x"), "1002"),
        (frame(8, true, &[3, 237]), "1002"),
        (frame(8, true, &[3, 232, 0xff]), "1002"),
        (vec![0x81, 0xff, 0, 0, 0, 0, 0, 0x10, 0, 1], "1009"),
        (vec![0x81, 0x85, 0, 0, 0, 0, b'x'], "1011"),
        (vec![0x81], "1011"),
        (frame(1, false, b"x"), "1011"),
    ] {
        let octets = if octets.first() == Some(&0x81) && octets.len() == 10 {
            [octets, vec![0; 4]].concat()
        } else {
            octets
        };
        let got = read(&octets, 1000).await;
        assert!(code.contains(got.last().unwrap()), "{octets:?}: {got:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_message_that_is_never_whole_is_given_up() {
    let stack = stack();
    let (mut side, mut far) = side(true);
    far.write_all(&frame(1, false, b"x")).await.unwrap();
    let got = all(&mut side, &stack).await;
    assert!(matches!(got.as_slice(), [Err(Bad::Late)]), "{got:?}");
}

#[tokio::test(start_paused = true)]
async fn a_long_message_takes_room_before_it_is_read_and_gives_it_back() {
    let stack = stack();
    let whole = ROOM_OF_SESSION as u64;
    let kept = stack.gateway.reserve(&stack.session, whole).await.unwrap();
    let long = frame(1, true, &[b'x'; 40_000]);
    let (mut full, mut far) = side(true);
    far.write_all(&long).await.unwrap();
    let got = all(&mut full, &stack).await;
    assert!(matches!(got.as_slice(), [Err(Bad::NoRoom)]), "{got:?}");
    drop(kept);
    let (mut side, mut far) = side(true);
    far.write_all(&long).await.unwrap();
    let text = side
        .next((&stack.gateway, &stack.session), |_| {})
        .await
        .unwrap();
    assert!(stack.gateway.reserve(&stack.session, whole).await.is_none());
    drop(text);
    assert!(stack.gateway.reserve(&stack.session, whole).await.is_some());
}

#[tokio::test]
async fn a_frame_that_was_given_up_is_the_last() {
    let (mut writer, far) = side(false);
    let big = vec![b'x'; 1 << 17];
    let writing = writer.write(Opcode::Text, &big);
    assert!(
        tokio::time::timeout(Duration::from_millis(20), writing)
            .await
            .is_err()
    );
    assert!(writer.write(Opcode::Close, b"").await.is_err());
    drop(far);
}

#[tokio::test]
async fn what_is_written_can_be_read_and_no_mask_is_used_twice() {
    let stack = stack();
    let (mut writer, mut far) = side(false);
    writer.write(Opcode::Text, b"one").await.unwrap();
    writer.write(Opcode::Text, b"one").await.unwrap();
    writer
        .close(Some(1000), &"\u{20ac}".repeat(60))
        .await
        .unwrap();
    let mut octets = Vec::new();
    far.read_to_end(&mut octets).await.unwrap();
    let (first, second) = (octets.get(..9).unwrap(), octets.get(9..18).unwrap());
    assert_ne!(first, second);
    let got = read(&octets, 1000).await;
    let bye = format!("close Some(1000) {}", "\u{20ac}".repeat(41));
    assert_eq!(got, ["text one", "text one", &bye, "end"]);
    drop(stack);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// However a text is cut into frames and reads, it is the same text.
    #[test]
    fn a_text_is_the_same_however_it_is_cut(text in "\\PC{0,200}", cuts in proptest::collection::vec(0usize..60, 0..8), step in 1usize..50) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let mut octets = Vec::new();
        let mut rest = text.as_bytes();
        let mut opcode = 1;
        for cut in cuts {
            let (piece, more) = rest.split_at(cut.min(rest.len()));
            octets.extend(frame(std::mem::replace(&mut opcode, 0), false, piece));
            octets.extend(frame(10, true, b"between"));
            rest = more;
        }
        octets.extend(frame(opcode, true, rest));
        let got = runtime.block_on(read(&octets, step));
        prop_assert_eq!(got, vec![format!("text {text}"), "end".to_owned()]);
    }

    /// Whatever comes, reading it comes to an end.
    #[test]
    fn nothing_breaks_the_reader(octets in proptest::collection::vec(any::<u8>(), 0..300)) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let got = runtime.block_on(read(&octets, 7));
        prop_assert!(!got.is_empty());
    }
}
