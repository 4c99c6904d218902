//! What goes on of a body, and when.

use std::future::poll_fn;
use std::time::Duration;

use ringfence_model::Secret;
use tokio::time::Instant;

use super::*;

const VALUE: &str = "ghs_16C7e42F292c6912E7710c838347Ae178B4a";

fn scrubbing(values: &[&str], media: &str) -> Scrubbing {
    let values: Vec<Secret> = values.iter().map(|value| Secret::new(*value)).collect();
    Scrubbing::new(None, ScrubSet::new(&values).unwrap(), form(media))
}

fn form(media: &str) -> Form<'_> {
    Form {
        media,
        measured: false,
        http2: true,
    }
}

/// All that goes on at once.
fn steps(scrubbing: &mut Scrubbing) -> String {
    let mut out = Vec::new();
    while scrubbing.is_busy() {
        out.extend_from_slice(&scrubbing.step().unwrap());
    }
    String::from_utf8(out).unwrap()
}

fn pass(scrubbing: &mut Scrubbing, piece: &str) -> String {
    scrubbing.take(Bytes::copy_from_slice(piece.as_bytes()));
    steps(scrubbing)
}

fn finish(scrubbing: &mut Scrubbing) -> String {
    scrubbing.finish().unwrap();
    steps(scrubbing)
}

/// What silence gives, and after which time.
async fn silence(scrubbing: &mut Scrubbing) -> (String, Duration) {
    let since = Instant::now();
    poll_fn(|cx| scrubbing.poll_silence(cx)).await;
    (steps(scrubbing), since.elapsed())
}

/// Whether silence gives nothing, however long it is.
async fn silence_gives_nothing(scrubbing: &mut Scrubbing) -> bool {
    let asked = silence(scrubbing);
    tokio::time::timeout(Duration::from_secs(3600), asked)
        .await
        .is_err()
}

#[tokio::test]
async fn an_event_or_a_record_goes_on_whole_and_at_once() {
    let long = "0123456789abcdef".repeat(1000);
    for (media, event) in [
        ("text/event-stream", "data: hello\ndata: ghs_16C7\n\n"),
        ("text/event-stream", "data: hello\r\n\r\n"),
        ("application/x-ndjson", "{\"a\":\"ghs_16C7\"}\n"),
    ] {
        let mut scrubbing = scrubbing(&[VALUE, &long], media);
        for _ in 0..3 {
            assert_eq!(pass(&mut scrubbing, event), event);
        }
        let (begin, end) = event.split_at(9);
        assert_eq!(pass(&mut scrubbing, begin), "");
        assert_eq!(pass(&mut scrubbing, &format!("{end}more")), event);
    }
}

#[tokio::test]
async fn an_event_does_not_go_on_by_parts_where_a_value_has_lines() {
    let mut scrubbing = scrubbing(&[VALUE, "key\n\nlines"], "text/event-stream");
    assert_eq!(pass(&mut scrubbing, "data: key\n\n"), "");
    pass(&mut scrubbing, "lines\n\n");
    let rest = finish(&mut scrubbing);
    assert_eq!(rest, "data: REDACTED-BY-RINGFENCE\n\n");
}

#[tokio::test]
async fn how_much_goes_on_does_not_depend_on_a_guess() {
    for media in ["text/plain", "text/event-stream", "application/x-ndjson"] {
        let lengths = |guess: &str| -> Vec<usize> {
            let mut scrubbing = scrubbing(&[VALUE], media);
            (0..4)
                .map(|_| {
                    let piece = format!("{}\n\n{guess}", ".".repeat(398 - guess.len()));
                    pass(&mut scrubbing, &piece).len()
                })
                .collect()
        };
        let wrong = lengths("gh!_16C7e");
        assert_eq!(lengths("ghs_16C7e"), wrong, "{media}");
        assert!(wrong.iter().sum::<usize>() > 0);
    }
}

#[tokio::test(start_paused = true)]
async fn silence_gives_whole_lines_and_never_the_beginning_of_one() {
    let mut scrubbing = scrubbing(&[VALUE], "text/plain");
    let (one, two) = VALUE.split_at(6);
    let text = format!("one\ntwo\n{one}");
    assert_eq!(pass(&mut scrubbing, &text), "");
    let (lines, after) = silence(&mut scrubbing).await;
    assert_eq!(lines, "one\ntwo\n");
    assert!(after >= SILENCE_GIVES_LINES);
    assert!(silence_gives_nothing(&mut scrubbing).await);
    assert_eq!(pass(&mut scrubbing, two), "");
    assert!(silence_gives_nothing(&mut scrubbing).await);
    assert_eq!(finish(&mut scrubbing), "REDACTED-BY-RINGFENCE");
}

#[tokio::test(start_paused = true)]
async fn silence_gives_nothing_of_a_body_of_which_the_length_is_known() {
    let set = ScrubSet::new(&[Secret::new(VALUE)]).unwrap();
    let measured = Form {
        measured: true,
        ..form("text/plain")
    };
    let mut scrubbing = Scrubbing::new(None, set, measured);
    assert_eq!(pass(&mut scrubbing, "one\ntwo\n"), "");
    assert!(silence_gives_nothing(&mut scrubbing).await);
    assert_eq!(pass(&mut scrubbing, "three\n"), "");
    assert!(silence_gives_nothing(&mut scrubbing).await);
    assert_eq!(finish(&mut scrubbing), "one\ntwo\nthree\n");
}

#[tokio::test(start_paused = true)]
async fn each_piece_begins_the_silence_anew() {
    let mut scrubbing = scrubbing(&[VALUE], "text/plain");
    for piece in ["one\n", "two\n", "three\n"] {
        pass(&mut scrubbing, piece);
        let almost = SILENCE_GIVES_LINES - Duration::from_millis(10);
        let asked = tokio::time::timeout(almost, silence(&mut scrubbing)).await;
        assert!(asked.is_err(), "{asked:?}");
    }
    assert_eq!(silence(&mut scrubbing).await.0, "one\ntwo\nthree\n");
}

#[tokio::test(start_paused = true)]
async fn a_slow_agent_does_not_make_an_upstream_silent() {
    let mut scrubbing = scrubbing(&[VALUE], "text/plain");
    pass(&mut scrubbing, "one\n");
    // The agent asks for nothing for so long. Only what is asked then begins to count.
    tokio::time::advance(10 * SILENCE_GIVES_LINES).await;
    let now = poll_fn(|cx| Poll::Ready(scrubbing.poll_silence(cx).is_ready())).await;
    assert!(!now);
}

#[tokio::test(start_paused = true)]
async fn silence_gives_nothing_where_nothing_is_held() {
    let mut scrubbing = scrubbing(&[], "text/plain");
    assert_eq!(pass(&mut scrubbing, "all of it"), "all of it");
    assert!(silence_gives_nothing(&mut scrubbing).await);
}

#[tokio::test]
async fn a_message_of_grpc_goes_on_whole_and_at_once() {
    let mut scrubbing = scrubbing(&[VALUE], "application/grpc");
    let message = "\0\0\0\0\u{6}ghs_16";
    for _ in 0..3 {
        assert_eq!(pass(&mut scrubbing, message), message);
    }
    let (begin, end) = message.split_at(7);
    assert_eq!(pass(&mut scrubbing, begin), "");
    assert_eq!(pass(&mut scrubbing, end), message);
}

#[tokio::test]
async fn a_large_piece_is_read_and_goes_on_in_small_steps() {
    let mut scrubbing = scrubbing(&["pw", VALUE], "text/plain");
    // Each pair of octets becomes a replacement that is ten times as long.
    let piece = "pw".repeat(1 << 17);
    scrubbing.take(Bytes::from(piece));
    let (mut steps, mut most, mut total) = (0, 0, 0);
    while scrubbing.is_busy() {
        let length = scrubbing.step().unwrap().len();
        (steps, most, total) = (steps + 1, most.max(length), total + length);
    }
    assert!(steps >= (1 << 18) / READ_AT_A_TIME, "{steps}");
    assert!(most <= FRAME_OCTETS && total > 2 << 20, "{most} {total}");
}
