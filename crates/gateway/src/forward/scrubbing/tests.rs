//! What goes on of a body, and when.

use std::future::poll_fn;
use std::time::Duration;

use ringfence_model::Secret;

use super::*;

const VALUE: &str = "ghs_16C7e42F292c6912E7710c838347Ae178B4a";

fn scrubbing(values: &[&str], media: &str) -> Scrubbing {
    let values: Vec<Secret> = values.iter().map(|value| Secret::new(*value)).collect();
    Scrubbing::new(None, ScrubSet::new(&values).unwrap(), media)
}

fn pass(scrubbing: &mut Scrubbing, piece: &str) -> String {
    scrubbing.take(Bytes::copy_from_slice(piece.as_bytes()));
    let out = scrubbing.step().unwrap();
    assert!(!scrubbing.is_busy());
    String::from_utf8(out.to_vec()).unwrap()
}

/// What silence gives, and after which time.
async fn silence(scrubbing: &mut Scrubbing) -> (String, Duration) {
    let since = Instant::now();
    let out = poll_fn(|cx| scrubbing.poll_silence(cx)).await;
    (String::from_utf8(out.to_vec()).unwrap(), since.elapsed())
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
    let rest = scrubbing.finish().unwrap();
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
async fn silence_gives_whole_lines_soon_and_the_rest_later() {
    let mut scrubbing = scrubbing(&[VALUE], "text/plain");
    assert_eq!(pass(&mut scrubbing, "one\ntwo\nghs_16"), "");
    let (lines, after) = silence(&mut scrubbing).await;
    assert_eq!(lines, "one\ntwo\n");
    assert!(after >= SILENCE_GIVES_LINES && after < SILENCE_GIVES_ALL);
    let (rest, after) = silence(&mut scrubbing).await;
    assert_eq!(rest, "ghs_16");
    assert!(after + SILENCE_GIVES_LINES >= SILENCE_GIVES_ALL);
    assert_eq!(pass(&mut scrubbing, "three"), "");
    let (rest, after) = silence(&mut scrubbing).await;
    assert_eq!(rest, "three");
    assert!(after >= SILENCE_GIVES_ALL);
}

#[tokio::test(start_paused = true)]
async fn each_piece_begins_the_silence_anew() {
    let mut scrubbing = scrubbing(&[VALUE], "text/plain");
    for piece in VALUE.as_bytes().chunks(10) {
        pass(&mut scrubbing, std::str::from_utf8(piece).unwrap());
        let almost = SILENCE_GIVES_ALL - Duration::from_millis(10);
        let asked = tokio::time::timeout(almost, silence(&mut scrubbing)).await;
        assert!(asked.is_err(), "{asked:?}");
    }
    assert_eq!(silence(&mut scrubbing).await.0, "REDACTED-BY-RINGFENCE");
}

#[tokio::test(start_paused = true)]
async fn a_slow_agent_does_not_make_an_upstream_silent() {
    let mut scrubbing = scrubbing(&[VALUE], "text/plain");
    let (one, two) = VALUE.split_at(20);
    pass(&mut scrubbing, one);
    // The agent asks for nothing for so long. Only what is asked then begins to count.
    tokio::time::advance(10 * SILENCE_GIVES_ALL).await;
    let now = poll_fn(|cx| Poll::Ready(scrubbing.poll_silence(cx).is_ready())).await;
    assert!(!now);
    pass(&mut scrubbing, two);
    assert_eq!(scrubbing.finish().unwrap(), "REDACTED-BY-RINGFENCE");
}

#[tokio::test(start_paused = true)]
async fn silence_gives_nothing_where_nothing_is_held() {
    let mut scrubbing = scrubbing(&[], "text/plain");
    assert_eq!(pass(&mut scrubbing, "all of it"), "all of it");
    let asked = tokio::time::timeout(2 * SILENCE_GIVES_ALL, silence(&mut scrubbing)).await;
    assert!(asked.is_err());
}
