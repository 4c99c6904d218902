//! What may be said of an issuer's refusal: the two fields that RFC 6749, section 5.2 has for it,
//! cut short, and only where they hold nothing of a secret. An agent reads this.

use serde::Deserialize;

use ringfence_model::Secret;

use super::limits::{CODE_CHARACTERS, TELLING_OCTETS, WORDS_CHARACTERS};

/// The secrets that a request carries or is signed with, in the forms that an issuer could repeat.
#[derive(Default, Clone)]
pub(super) struct Hidden(Vec<Secret>);

impl Hidden {
    /// With these, too.
    #[must_use]
    pub(super) fn with(mut self, more: Vec<Secret>) -> Self {
        self.0.extend(more);
        self
    }

    /// Whether the text holds a run of octets that one of the secrets has, too.
    fn shows_in(&self, text: &str) -> bool {
        self.0.iter().any(|secret| {
            let secret = secret.expose();
            let length = TELLING_OCTETS.min(secret.len());
            length > 0
                && text
                    .as_bytes()
                    .windows(length)
                    .any(|run| secret.windows(length).any(|part| part == run))
        })
    }
}

/// The error of RFC 6749; anything else in it is not looked at.
#[derive(Deserialize)]
struct ErrorReply {
    error: String,
    #[serde(default)]
    error_description: Option<String>,
}

/// The words for an answer of this status. Without those two fields it is the status alone.
pub(super) fn refusal(status: u16, body: &Secret, hidden: &Hidden) -> String {
    let Ok(reply) = serde_json::from_slice::<ErrorReply>(body.expose()) else {
        return format!("it answered with status {status}");
    };
    let words = reply.error_description.as_deref().unwrap_or_default();
    shown(status, (&reply.error, words), hidden)
}

/// The words for a code and an explanation, as far as they hold nothing of a secret.
pub(super) fn shown(status: u16, (error, words): (&str, &str), hidden: &Hidden) -> String {
    let Some(code) = code(error).filter(|code| !hidden.shows_in(code)) else {
        return format!("it answered with status {status}");
    };
    let shown = first_line(words);
    if shown.is_empty() {
        return code.to_owned();
    }
    if hidden.shows_in(words) || hidden.shows_in(&shown) {
        return format!("{code} (its explanation is not shown: it repeats a part of a secret)");
    }
    format!("{code}: {shown}")
}

/// An error code is a word of RFC 6749 or of an extension of it.
fn code(text: &str) -> Option<&str> {
    let is_word = |octet: u8| octet.is_ascii_alphanumeric() || b"_-.:/".contains(&octet);
    let is_code = !text.is_empty() && text.len() <= CODE_CHARACTERS && text.bytes().all(is_word);
    is_code.then_some(text)
}

/// The first line, printable ASCII only, cut short.
fn first_line(text: &str) -> String {
    let line = text.lines().next().unwrap_or_default();
    let shown = line.chars().filter(|shown| matches!(shown, ' '..='~'));
    let shown: String = shown.take(WORDS_CHARACTERS).collect();
    shown.trim().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(body: &str) -> String {
        let secrets = ["correct horse battery", "hun"].map(Secret::new);
        let hidden = Hidden::default().with(secrets.to_vec());
        refusal(400, &Secret::new(body), &hidden)
    }

    #[test]
    fn the_two_fields_of_the_standard_are_shown() {
        for (body, expected) in [
            (r#"{"error":"invalid_client"}"#, "invalid_client"),
            (
                r#"{"error":"invalid_grant","error_description":"expired\r\nTrace 1"}"#,
                "invalid_grant: expired",
            ),
            (
                r#"{"error":"x","error_description":"a\u001b[31mb\u0000\u202ec"}"#,
                "x: a[31mbc",
            ),
        ] {
            assert_eq!(words(body), expected);
        }
    }

    #[test]
    fn nothing_else_of_the_body_is_shown() {
        for body in [
            "<html>correct horse battery</html>",
            "",
            "[]",
            r#"{"error":{"message":"a"}}"#,
            r#"{"error":"two words"}"#,
            r#"{"error":""}"#,
            r#"{"error":"a\r\nb"}"#,
            r#"{"message":"secret"}"#,
            r#"{"error":"a","error":"b"}"#,
        ] {
            assert_eq!(words(body), "it answered with status 400", "{body}");
        }
        let long = format!(r#"{{"error":"{}"}}"#, "a".repeat(65));
        assert_eq!(words(&long), "it answered with status 400");
    }

    #[test]
    fn words_that_repeat_a_secret_or_a_part_of_it_are_not_shown() {
        for said in [
            "the secret correct horse battery is wrong",
            "the secret starting with correct h is wrong",
            "the password hun is wrong",
            "fine\\n correct horse",
            "cor\\u0000rect horse",
        ] {
            let body = format!(r#"{{"error":"a","error_description":"{said}"}}"#);
            let shown = words(&body);
            assert!(shown.starts_with("a (its explanation"), "{shown}");
        }
        let code = r#"{"error":"hun_is_wrong"}"#;
        assert_eq!(words(code), "it answered with status 400");
    }

    #[test]
    fn long_words_are_cut() {
        let body = format!(
            r#"{{"error":"a","error_description":"{}"}}"#,
            "x".repeat(9000)
        );
        assert_eq!(words(&body).len(), WORDS_CHARACTERS + 3);
    }
}
