//! `google.rpc.Status`, which a collector answers with where it takes nothing: of its details just
//! `RetryInfo` is read.

use std::time::Duration;

use super::wire::Reader;

/// How long to wait before the next try, where a `google.rpc.Status` says that there may be one.
#[must_use]
pub fn retry_delay(status: &[u8]) -> Option<Duration> {
    let mut details = Reader::new(status).each(DETAILS);
    let info = details.find_map(|any| {
        let any = Reader::new(any);
        let is_retry = any
            .octets(TYPE_URL)
            .is_some_and(|it| it.ends_with(RETRY_INFO));
        is_retry.then(|| any.octets(VALUE).unwrap_or_default())
    })?;
    let delay = Reader::new(info).octets(DELAY).unwrap_or_default();
    let part = |field: u32| Reader::new(delay).number(field).unwrap_or(0);
    let seconds = Duration::from_secs(part(SECONDS).min(LONGEST));
    Some(seconds + Duration::from_nanos(part(NANOS).min(999_999_999)))
}

const DETAILS: u32 = 3;
const TYPE_URL: u32 = 1;
const VALUE: u32 = 2;
const DELAY: u32 = 1;
const SECONDS: u32 = 1;
const NANOS: u32 = 2;
const RETRY_INFO: &[u8] = b"/google.rpc.RetryInfo";
/// A day: so that a sum cannot overflow. Who waits waits for less.
const LONGEST: u64 = 24 * 60 * 60;

#[cfg(test)]
mod tests {
    use super::super::wire::Message;
    use super::*;

    fn any(kind: &str, value: Message) -> Message {
        let mut any = Message::default();
        any.text(1, &format!("type.googleapis.com/google.rpc.{kind}"));
        any.message(2, value);
        any
    }

    fn status(details: Vec<Message>) -> Vec<u8> {
        let mut status = Message::default();
        status.number(1, 8);
        status.text(2, "wait");
        for detail in details {
            status.message(3, detail);
        }
        status.into_octets()
    }

    fn retry(seconds: u64, nanos: u64) -> Message {
        let mut delay = Message::default();
        delay.number(1, seconds);
        delay.number(2, nanos);
        let mut info = Message::default();
        info.message(1, delay);
        any("RetryInfo", info)
    }

    #[test]
    fn a_delay_is_found_among_other_details() {
        let other = any("DebugInfo", Message::default());
        let found = retry_delay(&status(vec![other, retry(2, 500_000_000)]));
        assert_eq!(found, Some(Duration::from_millis(2_500)));
        let none = any("RetryInfo", Message::default());
        assert_eq!(retry_delay(&status(vec![none])), Some(Duration::ZERO));
    }

    #[test]
    fn what_says_nothing_about_it_is_none() {
        let other = any("DebugInfo", Message::default());
        assert_eq!(retry_delay(&status(vec![other])), None);
        assert_eq!(retry_delay(b""), None);
        assert_eq!(retry_delay(b"\xff\xff\xff"), None);
    }

    #[test]
    fn a_negative_or_endless_delay_is_bounded() {
        let found = retry_delay(&status(vec![retry(u64::MAX, u64::MAX)])).unwrap();
        assert!(found <= Duration::from_secs(LONGEST + 1));
    }
}
