//! Puts the credential into a request, and takes the agent's own authentication out of it. The
//! agent's part of a request that a credential is used for never says who is asking.

use http::header::{HeaderName, HeaderValue};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};
use ringfence_model::{ReasonCode, Secret};
use ringfence_policy::Auth;

use super::draft::Draft;
use super::exchange::Chosen;
use super::fault::Fault;
use super::head::{is_authentication, is_authentication_parameter, may_be_injected};
use super::payload::Payload;
use super::places::{Places, holds_token};
use super::presented::{basic, decode};
use super::{placeholder, sigv4};
use crate::pipeline::{Injection, Material, tokens_in};

/// Unreserved characters of RFC 3986 stay as they are.
pub(super) const QUERY: AsciiSet = NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~');

/// Makes of the agent's request the one that is sent.
pub(super) async fn inject(
    draft: &mut Draft,
    payload: &mut Payload,
    chosen: &Chosen,
) -> Result<(), Fault> {
    let (Some(terms), Some(credential)) = (&chosen.terms, &chosen.credential) else {
        // A client of git gets its credentials from nobody but us.
        let of_git = chosen
            .terms
            .as_ref()
            .is_some_and(|terms| terms.git.is_some());
        strip(draft, of_git);
        return Ok(());
    };
    let material = credential.material.as_ref();
    match &terms.auth {
        Auth::Replace => replace(draft, payload, material).await,
        Auth::Placeholder { body } => {
            placeholder::fill(draft, material)?;
            placeholder::body::fill(draft, payload, (body, material)).await?;
            strip_own(draft, material);
            Ok(())
        }
    }
}

/// Takes out all that the agent authenticates itself by, and puts the credential in.
pub(super) async fn replace(
    draft: &mut Draft,
    payload: &mut Payload,
    material: &Material,
) -> Result<(), Fault> {
    strip(draft, true);
    for injection in &material.injections {
        match injection {
            Injection::Header { name, value } => put_header(draft, name, value, material)?,
            Injection::Query { name, value } => put_parameter(draft, name, value, material)?,
            Injection::SigV4(keys) => sigv4::sign(draft, payload, keys).await?,
            Injection::Certificate(_) => {}
            Injection::SshKey(_) => return Err(unusable(material, "it is a key for SSH alone")),
        }
    }
    Ok(())
}

/// Takes out all that the agent authenticates itself by, where the handshake proves who asks.
pub(super) fn replace_by_handshake(draft: &mut Draft) {
    strip(draft, true);
}

/// Takes out what the agent authenticates itself by: with `own` all of it, else what holds a token
/// of ours. Nothing else is ever taken out, as it was decided on.
fn strip(draft: &mut Draft, own: bool) {
    let dropped = |name: &HeaderName, value: &HeaderValue| {
        let token = Places::Taken(None).has_header(name) && holds_token(name, value);
        token || (own && is_authentication(name))
    };
    let names: Vec<HeaderName> = draft
        .headers
        .iter()
        .filter(|(name, value)| dropped(name, value))
        .map(|(name, _)| name.clone())
        .collect();
    for name in names {
        draft.headers.remove(name);
    }
    keep_parameters(draft, |name, parameter| {
        let token = || !tokens_in(&decode(parameter)).is_empty();
        !is_authentication_parameter(name) || !(own || token())
    });
}

/// After tokens were replaced where they stood: takes out what the agent authenticates itself by
/// beside them.
fn strip_own(draft: &mut Draft, material: &Material) {
    let Some(value) = &material.value else {
        return;
    };
    let filled = |text: &[u8]| {
        let value = value.expose();
        !value.is_empty() && text.windows(value.len()).any(|window| window == value)
    };
    let names: Vec<HeaderName> = draft
        .headers
        .iter()
        .filter(|(name, text)| {
            let decoded = basic(name, text);
            let hidden = decoded.is_some_and(|decoded| filled(decoded.expose()));
            is_authentication(name) && !hidden && !filled(text.as_bytes())
        })
        .map(|(name, _)| name.clone())
        .collect();
    for name in names {
        draft.headers.remove(name);
    }
    keep_parameters(draft, |name, parameter| {
        !is_authentication_parameter(name) || filled(&decode(parameter))
    });
}

/// Keeps the parameters of the query that `keep` says, given the decoded name and the whole text.
fn keep_parameters(draft: &mut Draft, keep: impl Fn(&str, &str) -> bool) {
    let Some(query) = draft.query.take() else {
        return;
    };
    let wanted = |parameter: &&str| {
        let name = parameter.split('=').next().unwrap_or_default();
        let name = percent_decode_str(name).decode_utf8_lossy();
        keep(&name, parameter)
    };
    let kept: Vec<&str> = query.split('&').filter(wanted).collect();
    if !kept.is_empty() {
        draft.query = Some(kept.join("&"));
    }
}

fn put_header(
    draft: &mut Draft,
    name: &str,
    value: &Secret,
    material: &Material,
) -> Result<(), Fault> {
    let name = HeaderName::try_from(name).ok().filter(may_be_injected);
    let value = HeaderValue::from_bytes(value.expose()).ok();
    let (Some(name), Some(mut value)) = (name, value) else {
        return Err(unusable(material, "it does not fit into a header"));
    };
    value.set_sensitive(true);
    draft.headers.insert(name, value);
    Ok(())
}

fn put_parameter(
    draft: &mut Draft,
    name: &str,
    value: &Secret,
    material: &Material,
) -> Result<(), Fault> {
    let value = std::str::from_utf8(value.expose())
        .map_err(|_| unusable(material, "it does not fit into a query"))?;
    keep_parameters(draft, |other, _| other != name);
    let name = utf8_percent_encode(name, &QUERY);
    let parameter = format!("{name}={}", utf8_percent_encode(value, &QUERY));
    draft.query = Some(match draft.query.take() {
        Some(query) => format!("{query}&{parameter}"),
        None => parameter,
    });
    Ok(())
}

/// The refusal of a credential that is not of the form that it should be.
pub(super) fn unusable(material: &Material, why: &str) -> Fault {
    let reason = format!("the credential `{}` cannot be used: {why}", material.name);
    Fault::refused(ReasonCode::CredentialUnavailable, reason)
}
