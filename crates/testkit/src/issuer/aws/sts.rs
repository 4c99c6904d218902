//! The Security Token Service of AWS: gives out temporary keys for a role (AWS STS API reference,
//! "AssumeRole").

use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use super::AwsKey;
use crate::api::{Api, ApiRequest, ApiResponse};
use crate::issuer::{is_form, lock};
use crate::{Ca, Workdir};

/// The role that may be taken on.
pub const ROLE: &str = "arn:aws:iam::123456789012:role/agents";

/// What must be said beside its name.
pub const EXTERNAL_ID: &str = "acme/agents:1";

/// The service, until it is dropped.
pub struct Sts {
    api: Api,
    issued: Arc<Mutex<Vec<AwsKey>>>,
}

impl Sts {
    /// Starts it under this name for who has the key.
    pub fn start(workdir: &Workdir, ca: &Ca, name: &str, key: AwsKey) -> io::Result<Self> {
        let issued = Arc::new(Mutex::new(Vec::new()));
        let record = Arc::clone(&issued);
        let api = Api::start(workdir, ca, &[name], move |request| {
            match check(&key, request) {
                Ok(seconds) => grant(&key, seconds, &mut lock(&record)),
                Err((status, code, why)) => error(status, code, &why),
            }
        })?;
        Ok(Self { api, issued })
    }

    /// Where HTTPS is served.
    pub fn https(&self) -> SocketAddr {
        self.api.https()
    }

    /// Every request so far.
    pub fn requests(&self) -> Vec<ApiRequest> {
        self.api.requests()
    }

    /// The keys that were given out, in order, without region and service.
    pub fn issued(&self) -> Vec<AwsKey> {
        lock(&self.issued).clone()
    }
}

type Refused = (u16, &'static str, String);

/// How long the keys are to be good for.
fn check(key: &AwsKey, request: &ApiRequest) -> Result<i64, Refused> {
    key.check(request).map_err(|(code, why)| (403, code, why))?;
    let invalid = |why: &str| (400, "ValidationError", why.to_owned());
    if request.method != "POST" || !is_form(request) {
        return Err(invalid("POST a form"));
    }
    let field = |name: &str| request.form(name).unwrap_or_default();
    if field("Action") != "AssumeRole" || field("Version") != "2011-06-15" {
        return Err((400, "InvalidAction", "another action".to_owned()));
    }
    let session = field("RoleSessionName");
    let is_word = |octet: u8| octet.is_ascii_alphanumeric() || b"_=,.@-".contains(&octet);
    if !(2..=64).contains(&session.len()) || !session.bytes().all(is_word) {
        return Err(invalid("RoleSessionName is not valid"));
    }
    if field("RoleArn") != ROLE || field("ExternalId") != EXTERNAL_ID {
        let why = format!("{} may not take on {}", key.access_key, field("RoleArn"));
        return Err((403, "AccessDenied", why));
    }
    let seconds = field("DurationSeconds").parse().unwrap_or(0);
    let is_sound = (900..=43_200).contains(&seconds);
    is_sound
        .then_some(seconds)
        .ok_or_else(|| invalid("DurationSeconds is not valid"))
}

fn grant(base: &AwsKey, seconds: i64, issued: &mut Vec<AwsKey>) -> ApiResponse {
    let number = issued.len();
    let key = AwsKey {
        access_key: format!("ASIATEMPORARY{number:04}"),
        secret_key: format!("temporary/secret+key/{number}"),
        session_token: Some(format!("temporary//session+token/{number}==")),
        ..base.clone()
    };
    let expires = jiff::Timestamp::now() + jiff::SignedDuration::from_secs(seconds);
    let body = format!(
        "<AssumeRoleResponse xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\">\n\
         <AssumeRoleResult>\n<AssumedRoleUser><Arn>{ROLE}/x</Arn></AssumedRoleUser>\n<Credentials>\n\
         <AccessKeyId>{}</AccessKeyId>\n<SecretAccessKey>{}</SecretAccessKey>\n\
         <SessionToken>{}</SessionToken>\n<Expiration>{}</Expiration>\n</Credentials>\n\
         </AssumeRoleResult>\n<ResponseMetadata><RequestId>1</RequestId></ResponseMetadata>\n\
         </AssumeRoleResponse>\n",
        key.access_key,
        key.secret_key,
        key.session_token.as_deref().unwrap_or_default(),
        expires.strftime("%Y-%m-%dT%H:%M:%SZ"),
    );
    issued.push(key);
    ApiResponse::new(200, body).with("Content-Type", "text/xml")
}

fn error(status: u16, code: &str, why: &str) -> ApiResponse {
    let escaped = why.replace('&', "&amp;").replace('<', "&lt;");
    let body = format!(
        "<ErrorResponse xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\"><Error><Type>Sender</Type>\
         <Code>{code}</Code><Message>{escaped}</Message></Error></ErrorResponse>"
    );
    ApiResponse::new(status, body).with("Content-Type", "text/xml")
}
