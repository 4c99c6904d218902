//! What a rule removes from a response: how its body has to be read for it.

use http::header::{CONTENT_LENGTH, CONTENT_TYPE, HeaderMap};
use ringfence_inspect::{Members, Removals};
use ringfence_model::ReasonCode;
use ringfence_policy::{Removal, RequestTerms};

use super::super::fault::Fault;
use super::{media_type, number};

/// What takes members out of a body with this head; none where the terms remove nothing.
pub(super) fn members(terms: &RequestTerms, headers: &HeaderMap) -> Result<Option<Members>, Fault> {
    if terms.remove.is_empty() || headers.get(CONTENT_LENGTH).and_then(number) == Some(0) {
        return Ok(None);
    }
    let entries = terms.remove.iter();
    let entries = entries.map(|it: &Removal| (it.member(), it.parameter()));
    let media = media_type(headers);
    // Two readers of two types, or of two alphabets, see two bodies.
    let is_one = headers.get_all(CONTENT_TYPE).iter().count() <= 1 && is_utf8(headers);
    if is_one && terms.not_json.iter().any(|it| it.matches(&media)) && media != JSON {
        return Ok(Some(Members::lenient(Removals::new(entries))));
    }
    if is_one && is_json(&media) {
        return Ok(Some(Members::new(Removals::new(entries))));
    }
    let media = if media.is_empty() { "no type" } else { &media };
    let reason = format!(
        "the upstream answered with {media}, in which what the rule removes cannot be found"
    );
    Err(Fault::refused(ReasonCode::ResponseRefused, reason).by(&terms.rule))
}

/// The one type that always has to be JSON.
const JSON: &str = "application/json";

fn is_json(media: &str) -> bool {
    media == JSON || (media.starts_with("application/") && media.ends_with("+json"))
}

/// Whether no parameter of the media type says that the text is not UTF-8.
fn is_utf8(headers: &HeaderMap) -> bool {
    let value = headers
        .get(CONTENT_TYPE)
        .and_then(|value| value.to_str().ok());
    let mut parameters = value.unwrap_or_default().split(';').skip(1);
    parameters.all(|parameter| {
        let (name, value) = parameter.split_once('=').unwrap_or((parameter, ""));
        let value = value.trim().trim_matches('"');
        !name.trim().eq_ignore_ascii_case("charset") || value.eq_ignore_ascii_case("utf-8")
    })
}
