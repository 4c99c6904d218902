//! An OAuth 2.0 server: client credentials, and refresh tokens that are good for one use.

use std::collections::HashSet;
use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Condvar, Mutex, PoisonError};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::json;

use super::{CLIENT_ID, CLIENT_SECRET, granted, is_form, lock, oauth_error};
use crate::api::{Api, ApiRequest, ApiResponse};
use crate::{Ca, Workdir};

/// The server, until it is dropped. Its endpoint is `/token`.
pub struct OauthServer {
    api: Api,
    state: Arc<Mutex<State>>,
    gate: Arc<Gate>,
}

/// Where answers wait.
#[derive(Default)]
struct Gate {
    state: Mutex<GateState>,
    moved: Condvar,
}

#[derive(Default)]
struct GateState {
    is_closed: bool,
    waiting: usize,
}

impl Gate {
    fn pass(&self) {
        let mut gate = lock(&self.state);
        gate.waiting += 1;
        self.moved.notify_all();
        let passed = self.moved.wait_while(gate, |gate| gate.is_closed);
        passed.unwrap_or_else(PoisonError::into_inner).waiting -= 1;
    }
}

struct State {
    count: u32,
    /// Access tokens that are good.
    live: HashSet<String>,
    /// The refresh token that is good, unless one was used twice.
    refresh: Option<String>,
    used: HashSet<String>,
    lifetime: i64,
}

impl OauthServer {
    /// Starts it under this name. [`CLIENT_ID`] and [`CLIENT_SECRET`] are its client's.
    pub fn start(workdir: &Workdir, ca: &Ca, name: &str) -> io::Result<Self> {
        let state = Arc::new(Mutex::new(State {
            count: 0,
            live: HashSet::new(),
            refresh: Some("refresh-0-of-the-oauth-server".to_owned()),
            used: HashSet::new(),
            lifetime: 3600,
        }));
        let gate = Arc::new(Gate::default());
        let (shared, held) = (Arc::clone(&state), Arc::clone(&gate));
        let api = Api::start(workdir, ca, &[name], move |request| {
            let answer = lock(&shared).answer(request);
            held.pass();
            answer
        })?;
        Ok(Self { api, state, gate })
    }

    /// Has requests answered, but their answers held back, until [`OauthServer::release`].
    pub fn hold(&self) {
        lock(&self.gate.state).is_closed = true;
    }

    /// Waits until an answer is held back.
    pub fn wait_for_held(&self) {
        let held = lock(&self.gate.state);
        let waited = self.gate.moved.wait_while(held, |gate| gate.waiting == 0);
        drop(waited.unwrap_or_else(PoisonError::into_inner));
    }

    /// Lets all answers go that are held back.
    pub fn release(&self) {
        lock(&self.gate.state).is_closed = false;
        self.gate.moved.notify_all();
    }

    /// Where HTTPS is served.
    pub fn https(&self) -> SocketAddr {
        self.api.https()
    }

    /// Every request so far.
    pub fn requests(&self) -> Vec<ApiRequest> {
        self.api.requests()
    }

    /// Whether an access token is good.
    pub fn accepts(&self, token: &str) -> bool {
        lock(&self.state).live.contains(token)
    }

    /// Makes all access tokens so far useless.
    pub fn revoke_all(&self) {
        lock(&self.state).live.clear();
    }

    /// How long new access tokens are said to live, in seconds.
    pub fn set_lifetime(&self, seconds: i64) {
        lock(&self.state).lifetime = seconds;
    }

    /// The refresh token that is good now; none after one was used twice.
    pub fn refresh_token(&self) -> Option<String> {
        lock(&self.state).refresh.clone()
    }
}

impl State {
    fn answer(&mut self, request: &ApiRequest) -> ApiResponse {
        if request.path != "/token" {
            return ApiResponse::new(404, "");
        }
        if request.method != "POST" || !is_form(request) {
            return oauth_error(400, "invalid_request", "POST a form");
        }
        if let Err(refusal) = authenticate(request) {
            return refusal;
        }
        match request.form("grant_type").as_deref() {
            Some("client_credentials") => self.grant(request, None),
            Some("refresh_token") => self.refresh(request),
            Some(_) => oauth_error(400, "unsupported_grant_type", "not here"),
            None => oauth_error(400, "invalid_request", "there is no grant_type"),
        }
    }

    fn refresh(&mut self, request: &ApiRequest) -> ApiResponse {
        let given = request.form("refresh_token").unwrap_or_default();
        if self.used.contains(&given) {
            // As RFC 9700, section 4.14.2 recommends: somebody else may have it.
            self.refresh = None;
            self.live.clear();
        }
        if self.refresh.as_ref() != Some(&given) {
            return oauth_error(
                400,
                "invalid_grant",
                "the refresh token is not good any more",
            );
        }
        self.used.insert(given);
        let next = format!("refresh-{}-of-the-oauth-server", self.used.len());
        self.refresh = Some(next.clone());
        self.grant(request, Some(next))
    }

    fn grant(&mut self, request: &ApiRequest, refresh: Option<String>) -> ApiResponse {
        self.count += 1;
        let token = format!("access-{}-of-the-oauth-server", self.count);
        self.live.insert(token.clone());
        let mut body = json!({
            "access_token": token,
            "token_type": "Bearer",
            "expires_in": self.lifetime,
            "scope": request.form("scope").unwrap_or_else(|| "all".to_owned()),
        });
        if let (Some(refresh), Some(members)) = (refresh, body.as_object_mut()) {
            members.insert("refresh_token".to_owned(), refresh.into());
        }
        granted(&body)
    }
}

/// By the header or by the body, not by both (RFC 6749, section 2.3).
fn authenticate(request: &ApiRequest) -> Result<(), ApiResponse> {
    let header = request.header("authorization");
    let body = request.form("client_secret");
    let is_client = match (header, body) {
        (Some(_), Some(_)) => {
            return Err(oauth_error(
                400,
                "invalid_request",
                "two ways to authenticate",
            ));
        }
        (Some(header), None) => {
            basic(header).is_some_and(|(id, secret)| id == CLIENT_ID && secret == CLIENT_SECRET)
        }
        (None, secret) => {
            request.form("client_id").as_deref() == Some(CLIENT_ID)
                && secret.as_deref() == Some(CLIENT_SECRET)
        }
    };
    if is_client {
        return Ok(());
    }
    let refusal = oauth_error(401, "invalid_client", "who is that?");
    Err(refusal.with("WWW-Authenticate", "Basic realm=\"oauth\""))
}

/// The user and the password, each a form value (RFC 6749, section 2.3.1).
fn basic(header: &str) -> Option<(String, String)> {
    let pair = STANDARD.decode(header.strip_prefix("Basic ")?).ok()?;
    let pair = String::from_utf8(pair).ok()?;
    let (id, secret) = pair.split_once(':')?;
    let decode = |value: &str| {
        let body = format!("value={value}").into_bytes();
        form(body).form("value")
    };
    Some((decode(id)?, decode(secret)?))
}

fn form(body: Vec<u8>) -> ApiRequest {
    ApiRequest {
        method: String::new(),
        path: String::new(),
        query: String::new(),
        headers: Vec::new(),
        body,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;
    use crate::process::{command, run};

    #[test]
    fn a_refresh_token_is_good_once_and_its_reuse_ends_all() {
        let workdir = Workdir::new().unwrap();
        let ca = Ca::new(&workdir).unwrap();
        let server = OauthServer::start(&workdir, &ca, "login.acme.test").unwrap();
        let port = server.https().port();
        let ask = |fields: &[(&str, &str)]| -> Value {
            let mut curl = command("curl");
            curl.arg("-sS").arg("--cacert").arg(ca.certificate());
            curl.args(["--resolve", &format!("login.acme.test:{port}:127.0.0.1")]);
            for (name, value) in fields {
                curl.args(["--data-urlencode", &format!("{name}={value}")]);
            }
            let output = run(curl.arg(format!("https://login.acme.test:{port}/token"))).unwrap();
            serde_json::from_slice(&output.stdout).unwrap()
        };
        let client = [("client_id", CLIENT_ID), ("client_secret", CLIENT_SECRET)];
        let refresh = |token: &str| {
            ask(&[
                &client[..],
                &[("grant_type", "refresh_token"), ("refresh_token", token)],
            ]
            .concat())
        };
        let first = server.refresh_token().unwrap();
        let answer = refresh(&first);
        assert!(server.accepts(answer["access_token"].as_str().unwrap()));
        assert_eq!(
            answer["refresh_token"].as_str(),
            server.refresh_token().as_deref()
        );
        assert_eq!(refresh(&first)["error"], "invalid_grant");
        assert_eq!(server.refresh_token(), None);
        assert_eq!(ask(&client)["error"], "invalid_request");
        let wrong = [("client_id", CLIENT_ID), ("client_secret", "x")];
        assert_eq!(ask(&wrong)["error"], "invalid_client");
    }
}
