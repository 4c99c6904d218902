//! A service of AWS that checks signatures by Signature Version 4, written from its specification
//! ("Create a signed AWS API request", IAM user guide).

mod canonical;
pub mod sts;

use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

use super::lock;
use crate::api::{Api, ApiRequest, ApiResponse, echo};
use crate::{Ca, Workdir};

/// Who may sign, and for what.
#[derive(Debug, Clone)]
pub struct AwsKey {
    /// The public part of the key.
    pub access_key: String,
    /// The secret part.
    pub secret_key: String,
    /// The token of a temporary key.
    pub session_token: Option<String>,
    /// For example `eu-central-1`.
    pub region: String,
    /// For example `s3`.
    pub service: String,
}

/// The service, until it is dropped. What is signed rightly gets its own request back.
pub struct Aws {
    api: Api,
    refused: Arc<Mutex<Vec<String>>>,
}

impl Aws {
    /// Starts it under these names for one key.
    pub fn start(workdir: &Workdir, ca: &Ca, names: &[&str], key: AwsKey) -> io::Result<Self> {
        let refused = Arc::new(Mutex::new(Vec::new()));
        let record = Arc::clone(&refused);
        let api = Api::start(workdir, ca, names, move |request| {
            match key.check(request) {
                Ok(()) => echo(request),
                Err((code, why)) => {
                    lock(&record).push(why.clone());
                    error(code, &why)
                }
            }
        })?;
        Ok(Self { api, refused })
    }

    /// Where HTTPS is served.
    pub fn https(&self) -> SocketAddr {
        self.api.https()
    }

    /// Every request so far.
    pub fn requests(&self) -> Vec<ApiRequest> {
        self.api.requests()
    }

    /// Why requests were refused, in order, with what was signed here.
    pub fn refused(&self) -> Vec<String> {
        lock(&self.refused).clone()
    }
}

/// The error code and words.
type Refused = (&'static str, String);

impl AwsKey {
    fn check(&self, request: &ApiRequest) -> Result<(), Refused> {
        let signed = Signed::read(request)?;
        if signed.credential != format!("{}/{}", self.access_key, self.scope(&signed)) {
            return Err(("InvalidAccessKeyId", "another key or scope".to_owned()));
        }
        self.check_headers(request, &signed)?;
        check_time(&signed.time)?;
        let canonical = canonical::request(request, &signed.headers, &self.service)
            .map_err(|why| ("SignatureDoesNotMatch", why.to_owned()))?;
        if self.signature(&canonical, &signed) != signed.signature {
            return Err(("SignatureDoesNotMatch", canonical));
        }
        Ok(())
    }

    fn scope(&self, signed: &Signed<'_>) -> String {
        let (region, service) = (&self.region, &self.service);
        format!("{}/{region}/{service}/aws4_request", signed.date())
    }

    fn signature(&self, canonical: &str, signed: &Signed<'_>) -> String {
        let digest = canonical::sha256(canonical.as_bytes());
        let (time, scope) = (&signed.time, self.scope(signed));
        let to_sign = format!("AWS4-HMAC-SHA256\n{time}\n{scope}\n{digest}");
        let secret = format!("AWS4{}", self.secret_key).into_bytes();
        let parts = [signed.date(), &self.region, &self.service, "aws4_request"];
        let key = parts.iter().fold(secret, |key, part| hmac(&key, part));
        canonical::hex(&hmac(&key, &to_sign))
    }

    /// The host and every `x-amz-` header must be signed, and the token of a temporary key sent.
    fn check_headers(&self, request: &ApiRequest, signed: &Signed<'_>) -> Result<(), Refused> {
        let must_be_signed = |name: &str| name == "host" || name.starts_with("x-amz-");
        let unsigned = request
            .headers
            .iter()
            .find(|(name, _)| must_be_signed(name) && !signed.headers.contains(&name.as_str()));
        if let Some((name, _)) = unsigned {
            return Err(("AccessDenied", format!("{name} is not signed")));
        }
        if !signed.headers.contains(&"host") {
            return Err(("AccessDenied", "host is not signed".to_owned()));
        }
        if request.header("x-amz-security-token") != self.session_token.as_deref() {
            return Err(("InvalidToken", "the session token is not right".to_owned()));
        }
        Ok(())
    }
}

/// What a request says of its signature.
struct Signed<'a> {
    credential: &'a str,
    headers: Vec<&'a str>,
    signature: &'a str,
    time: String,
}

impl<'a> Signed<'a> {
    fn read(request: &'a ApiRequest) -> Result<Self, Refused> {
        let missing = |what: &str| ("MissingAuthenticationToken", format!("no {what}"));
        let header = request.header("authorization");
        let header = header.and_then(|header| header.strip_prefix("AWS4-HMAC-SHA256 "));
        let header = header.ok_or_else(|| missing("authorization"))?;
        let part = |name: &str| {
            let mut parts = header.split(',').map(str::trim);
            parts.find_map(|part| part.strip_prefix(name)?.strip_prefix('='))
        };
        let time = request
            .header("x-amz-date")
            .ok_or_else(|| missing("x-amz-date"))?;
        Ok(Self {
            credential: part("Credential").ok_or_else(|| missing("credential"))?,
            headers: part("SignedHeaders")
                .ok_or_else(|| missing("signed headers"))?
                .split(';')
                .collect(),
            signature: part("Signature").ok_or_else(|| missing("signature"))?,
            time: time.to_owned(),
        })
    }

    fn date(&self) -> &str {
        self.time.get(..8).unwrap_or_default()
    }
}

/// Within a quarter of an hour of now.
fn check_time(text: &str) -> Result<(), Refused> {
    let wrong = || ("RequestTimeTooSkewed", "the time is not now".to_owned());
    let time = jiff::civil::DateTime::strptime("%Y%m%dT%H%M%SZ", text).map_err(|_| wrong())?;
    let time = time
        .to_zoned(jiff::tz::TimeZone::UTC)
        .map_err(|_| wrong())?;
    let now = i64::try_from(super::jwt::now()).unwrap_or_default();
    let skew = (time.timestamp().as_second() - now).abs();
    (skew <= 15 * 60).then_some(()).ok_or_else(wrong)
}

fn hmac(key: &[u8], message: &str) -> Vec<u8> {
    // A key of any length is one.
    let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(key) else {
        return Vec::new();
    };
    mac.update(message.as_bytes());
    mac.finalize().into_bytes().to_vec()
}

fn error(code: &str, why: &str) -> ApiResponse {
    let escaped = why.replace('&', "&amp;").replace('<', "&lt;");
    let body = format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Error><Code>{code}</Code><Message>{escaped}</Message></Error>"
    );
    ApiResponse::new(403, body).with("Content-Type", "application/xml")
}

#[cfg(test)]
mod tests;
