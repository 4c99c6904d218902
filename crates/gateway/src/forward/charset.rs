//! The alphabet of a response. Values are searched for as octets, so a text must write ASCII as it
//! is; the agent does not choose another one.

use http::header::{CONTENT_TYPE, HeaderMap, HeaderValue};

/// Alphabets in which the octets of ASCII are what they are in ASCII, by the beginning of their
/// names (and `binary`, which is none).
const LIKE_ASCII: [&str; 21] = [
    "utf-8",
    "utf8",
    "us-ascii",
    "ascii",
    "ansi_x3.4-1968",
    "iso-8859-",
    "iso8859-",
    "iso_8859-",
    "latin1",
    "windows-125",
    "cp125",
    "koi8-",
    "gbk",
    "gb2312",
    "gb18030",
    "big5",
    "shift_jis",
    "euc-jp",
    "euc-kr",
    "tis-620",
    "binary",
];

const CHARSET: &[u8] = b"charset";

/// The value of `Accept` without its parameters about alphabets; none where nothing is left.
pub(super) fn dropped(accept: &HeaderValue) -> Option<HeaderValue> {
    let names_one = |text: &[u8]| {
        let lower = text.to_ascii_lowercase();
        lower.windows(CHARSET.len()).any(|name| name == CHARSET)
    };
    if !names_one(accept.as_bytes()) {
        return Some(accept.clone());
    }
    let ranges = split(accept.as_bytes(), b',').into_iter();
    let kept = ranges.map(|range| {
        let parts = split(range, b';').into_iter();
        let kept: Vec<&[u8]> = parts.filter(|part| !names_one(part)).collect();
        kept.join(&b';')
    });
    let kept: Vec<Vec<u8>> = kept.filter(|range| !range.is_empty()).collect();
    HeaderValue::from_bytes(&kept.join(&b','))
        .ok()
        .filter(|value| !value.is_empty())
}

/// Splits where no quoted string is.
fn split(text: &[u8], at: u8) -> Vec<&[u8]> {
    let (mut quoted, mut escaped) = (false, false);
    let parts = text.split(|octet| {
        let ends = *octet == at && !quoted;
        quoted ^= *octet == b'"' && !escaped;
        escaped = quoted && *octet == b'\\' && !escaped;
        ends
    });
    parts.collect()
}

/// The alphabet of a response in which values could not be found, where it names one.
pub(super) fn unreadable(headers: &HeaderMap) -> Option<String> {
    let values = headers.get_all(CONTENT_TYPE).iter();
    values
        .flat_map(|value| named(value.as_bytes()))
        .find(|name| !is_like_ascii(name))
}

/// All that stands behind a `charset=`, wherever that is.
fn named(value: &[u8]) -> Vec<String> {
    let lower = value.to_ascii_lowercase();
    let mut names = Vec::new();
    for (at, window) in lower.windows(CHARSET.len()).enumerate() {
        let rest = lower.get(at + CHARSET.len()..).unwrap_or_default();
        let rest = rest.trim_ascii_start();
        let rest = rest.strip_prefix(b"*").unwrap_or(rest).trim_ascii_start();
        if window != CHARSET || rest.first() != Some(&b'=') {
            continue;
        }
        let rest = rest.get(1..).unwrap_or_default().trim_ascii_start();
        let rest = rest.strip_prefix(b"\"").unwrap_or(rest);
        let mut name = rest.split(|octet| matches!(octet, b'"' | b';' | b',' | b' ' | b'\t'));
        let name = name.next().unwrap_or_default();
        names.push(String::from_utf8_lossy(name).into_owned());
    }
    names
}

/// An empty name is none.
fn is_like_ascii(name: &str) -> bool {
    let is = |known: &&str| {
        let rest = name.strip_prefix(*known);
        // A family goes on with what tells its members apart; others end there.
        rest.is_some_and(|rest| rest.is_empty() || known.ends_with(['-', '5']) && is_member(rest))
    };
    name.is_empty() || LIKE_ASCII.iter().any(is)
}

fn is_member(rest: &str) -> bool {
    rest.len() <= 3
        && rest
            .bytes()
            .all(|octet| octet.is_ascii_alphanumeric() || octet == b'-')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_agent_does_not_choose_the_alphabet() {
        for (accept, kept) in [
            ("*/*", Some("*/*")),
            (
                "application/json;charset=UTF-16LE",
                Some("application/json"),
            ),
            (
                "text/html; q=0.5 ; Charset = ibm1047, */*",
                Some("text/html; q=0.5 , */*"),
            ),
            ("a/b;charset*=utf-16''x;q=1", Some("a/b;q=1")),
            ("a/b;x=\";,\";charset=\"utf-16\"", Some("a/b;x=\";,\"")),
            (
                "a/b;x=\"\\\",charset\", c/d;charset=utf-16",
                Some("a/b, c/d"),
            ),
            ("charset=utf-16", None),
        ] {
            let value = dropped(&HeaderValue::from_static(accept));
            let value = value.as_ref().map(|value| value.to_str().unwrap());
            assert_eq!(value, kept, "{accept}");
        }
    }

    #[test]
    fn values_are_found_in_alphabets_that_write_ascii_as_it_is() {
        for (media, refused) in [
            ("application/json", None),
            ("text/html; charset=UTF-8", None),
            ("text/html;charset=\"utf-8\"; x=y", None),
            ("text/html; charset=ISO-8859-15", None),
            ("text/html; charset=windows-1252", None),
            ("text/html; charset=koi8-r", None),
            ("text/html; charset=", None),
            ("text/html; profile=charset", None),
            ("text/html; charset=utf-16", Some("utf-16")),
            ("text/html; charset=UTF-16LE", Some("utf-16le")),
            ("text/html; charset=utf-7", Some("utf-7")),
            ("text/html; CharSet = \"IBM1047\"", Some("ibm1047")),
            ("text/html; charset=utf-8; charset=ibm037", Some("ibm037")),
            ("text/html; charset*=utf-16''x", Some("utf-16''x")),
            ("text/html; charset=utf-85", Some("utf-85")),
            ("text/html; charset='utf-8'", Some("'utf-8'")),
            ("text/html; charset=iso-8859-8-i", None),
            ("text/html; x=\"y\\\"; charset=utf-16", Some("utf-16")),
        ] {
            let mut headers = HeaderMap::new();
            headers.append(CONTENT_TYPE, HeaderValue::from_static("text/plain"));
            headers.append(CONTENT_TYPE, HeaderValue::from_static(media));
            assert_eq!(unreadable(&headers).as_deref(), refused, "{media}");
        }
    }
}
