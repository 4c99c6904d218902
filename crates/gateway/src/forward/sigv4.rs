//! Signs a request by AWS Signature Version 4, over exactly what is sent.

use std::time::SystemTime;

use aws_credential_types::Credentials;
use aws_sigv4::http_request::{
    PayloadChecksumKind, PercentEncodingMode, SignableBody, SignableRequest, SigningSettings,
    UriPathNormalizationMode, sign as sign_request,
};
use aws_sigv4::sign::v4;
use http::header::{CONTENT_TYPE, HeaderName, HeaderValue};
use ringfence_model::{ReasonCode, Scheme, Secret};

use super::draft::Draft;
use super::fault::Fault;
use super::payload::Payload;
use crate::http::authority;
use crate::limits::REWRITTEN_BODY_OCTETS;
use crate::outbound::OwnRequest;
use crate::pipeline::SigV4;

/// The service whose objects are too large to be read whole before they are sent.
const S3: &str = "s3";

/// Adds the signature. The body is read whole, so that the signature covers it; where that is not
/// possible, S3 alone takes a body that is not signed, and only inside TLS.
pub(super) async fn sign(
    draft: &mut Draft,
    payload: &mut Payload,
    keys: &SigV4,
) -> Result<(), Fault> {
    let unsigned = keys.service == S3
        && draft.scheme == Scheme::Https
        && payload.whole().is_none()
        && !payload.announces_at_most(REWRITTEN_BODY_OCTETS);
    let body = if unsigned {
        SignableBody::UnsignedPayload
    } else {
        SignableBody::Bytes(payload.hold(REWRITTEN_BODY_OCTETS).await?)
    };
    let covered = draft.headers.iter().filter_map(|(name, value)| {
        let covered = *name == CONTENT_TYPE || name.as_str().starts_with("x-amz-");
        Some((name.as_str(), value.to_str().ok()?)).filter(|_| covered)
    });
    let scheme = draft.scheme.as_str();
    let uri = format!("{scheme}://{}{}", draft.authority, draft.target());
    let request = SignableRequest::new(draft.method.as_str(), uri, covered, body).ok();
    let signed = request.and_then(|request| signed_headers(request, keys, SystemTime::now()));
    let signed = signed.ok_or_else(|| {
        let reason = "the request cannot be signed by AWS Signature Version 4";
        Fault::refused(ReasonCode::CredentialUnavailable, reason)
    })?;
    draft.headers.extend(signed);
    Ok(())
}

/// Adds the signature to a request of Ringfence's own, as of `time`. False where it cannot be
/// signed.
pub fn sign_own(request: &mut OwnRequest, keys: &SigV4, time: SystemTime) -> bool {
    let url = &request.url;
    let (scheme, host) = (url.scheme.as_str(), authority(&url.destination, url.scheme));
    let uri = format!("{scheme}://{host}{}", url.path_and_query);
    let covered = request.headers.iter().filter_map(|(name, value)| {
        let value = std::str::from_utf8(value.expose()).ok()?;
        Some((name.as_str(), value)).filter(|(name, _)| *name == CONTENT_TYPE.as_str())
    });
    let body = SignableBody::Bytes(request.body.expose());
    let signable = SignableRequest::new(&request.method, uri, covered, body).ok();
    let Some(signed) = signable.and_then(|signable| signed_headers(signable, keys, time)) else {
        return false;
    };
    let own = |(name, value): (HeaderName, HeaderValue)| {
        (name.as_str().to_owned(), Secret::new(value.as_bytes()))
    };
    request.headers.extend(signed.into_iter().map(own));
    true
}

fn signed_headers(
    request: SignableRequest<'_>,
    keys: &SigV4,
    time: SystemTime,
) -> Option<Vec<(HeaderName, HeaderValue)>> {
    let text = |secret: &Secret| std::str::from_utf8(secret.expose()).ok().map(str::to_owned);
    let secret_key = text(&keys.secret_key)?;
    let session = match &keys.session_token {
        Some(token) => Some(text(token)?),
        None => None,
    };
    let credentials = Credentials::new(&keys.access_key, secret_key, session, None, "ringfence");
    let identity = credentials.into();
    let parameters = v4::SigningParams::builder()
        .identity(&identity)
        .region(&keys.region)
        .name(&keys.service)
        .time(time)
        .settings(settings(&keys.service))
        .build()
        .ok()?
        .into();
    let (signed, _) = sign_request(request, &parameters).ok()?.into_parts();
    signed
        .headers()
        .map(|(name, value)| {
            let name = HeaderName::try_from(name).ok()?;
            let mut value = HeaderValue::from_str(value).ok()?;
            value.set_sensitive(true);
            Some((name, value))
        })
        .collect()
}

/// S3 signs the path as it is; the other services encode it once more (AWS General Reference,
/// "Create a canonical request").
fn settings(service: &str) -> SigningSettings {
    let mut settings = SigningSettings::default();
    settings.payload_checksum_kind = PayloadChecksumKind::XAmzSha256;
    if service == S3 {
        settings.percent_encoding_mode = PercentEncodingMode::Single;
        settings.uri_path_normalization_mode = UriPathNormalizationMode::Disabled;
    }
    settings
}
