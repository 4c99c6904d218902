//! Salesforce: the token endpoint for signed assertions, and query and describe of an instance.

use std::collections::HashSet;
use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use serde_json::{Value, json};

use super::jwt::{Jwt, Verifier};
use super::{bearer, granted, host, is_form, lock, oauth_error, query};
use crate::api::{Api, ApiRequest, ApiResponse};
use crate::{Ca, Workdir};

/// Where tokens are given out.
pub const LOGIN: &str = "login.salesforce.com";

/// Where they are good.
pub const INSTANCE: &str = "acme.my.salesforce.com";

/// The consumer key of the connected app.
pub const CONSUMER_KEY: &str = "3MVG9.consumer-key-of-acme";

/// The user that the app acts for.
pub const USER: &str = "agent@acme.test";

/// Both services, until they are dropped.
pub struct Salesforce {
    api: Api,
    state: Arc<Mutex<State>>,
}

struct State {
    verifier: Verifier,
    live: HashSet<String>,
    count: u32,
    instance_url: String,
    writes: Vec<String>,
}

impl Salesforce {
    /// Starts both under one address; assertions are checked by `verifier`.
    pub fn start(workdir: &Workdir, ca: &Ca, verifier: Verifier) -> io::Result<Self> {
        let state = Arc::new(Mutex::new(State {
            verifier,
            live: HashSet::new(),
            count: 0,
            instance_url: format!("https://{INSTANCE}"),
            writes: Vec::new(),
        }));
        let shared = Arc::clone(&state);
        let api = Api::start(workdir, ca, &[LOGIN, INSTANCE], move |request| {
            let mut state = lock(&shared);
            match host(request) {
                LOGIN => state.login(request),
                _ => state.data(request),
            }
        })?;
        Ok(Self { api, state })
    }

    /// Where HTTPS is served.
    pub fn https(&self) -> SocketAddr {
        self.api.https()
    }

    /// Every request so far.
    pub fn requests(&self) -> Vec<ApiRequest> {
        self.api.requests()
    }

    /// Names another instance from now on.
    pub fn move_to(&self, instance_url: &str) {
        instance_url.clone_into(&mut lock(&self.state).instance_url);
    }

    /// Ends all sessions, as an administrator can.
    pub fn end_sessions(&self) {
        lock(&self.state).live.clear();
    }

    /// Whether a session is good.
    pub fn accepts(&self, token: &str) -> bool {
        lock(&self.state).live.contains(token)
    }

    /// Requests of a session that would have changed something, as `METHOD PATH`.
    pub fn writes(&self) -> Vec<String> {
        lock(&self.state).writes.clone()
    }
}

impl State {
    fn login(&mut self, request: &ApiRequest) -> ApiResponse {
        if request.path != "/services/oauth2/token" || request.method != "POST" {
            return ApiResponse::new(404, "");
        }
        let field = |name: &str| request.form(name).unwrap_or_default();
        if !is_form(request) || field("grant_type") != GRANT {
            return oauth_error(400, "unsupported_grant_type", "grant type not supported");
        }
        match self.verifier.read(&field("assertion")) {
            Ok(jwt) => match check(&jwt) {
                Ok(()) => self.session(),
                Err(why) => oauth_error(400, "invalid_grant", why),
            },
            Err(_) => oauth_error(400, "invalid_grant", "invalid assertion"),
        }
    }

    fn session(&mut self) -> ApiResponse {
        self.count += 1;
        let token = format!("00D000000000001!AQ{}.session-of-salesforce", self.count);
        self.live.insert(token.clone());
        granted(&json!({
            "access_token": token,
            "scope": "web api",
            "instance_url": self.instance_url,
            "id": format!("https://{LOGIN}/id/00D000000000001/005000000000001"),
            "token_type": "Bearer",
        }))
    }

    fn data(&mut self, request: &ApiRequest) -> ApiResponse {
        if !bearer(request).is_some_and(|token| self.live.contains(token)) {
            return error(401, "INVALID_SESSION_ID", "Session expired or invalid");
        }
        let Some(path) = request.path.strip_prefix("/services/data/v60.0/") else {
            return error(404, "NOT_FOUND", "The requested resource does not exist");
        };
        if request.method != "GET" {
            let write = format!("{} {}", request.method, request.path);
            self.writes.push(write);
            return ApiResponse::json(201, &json!({"id": "001", "success": true, "errors": []}));
        }
        match path {
            "query" | "query/" => answer_query(query(request).get("q").map(String::as_str)),
            "sobjects/Account/describe" | "sobjects/Account/describe/" => {
                ApiResponse::json(200, &describe())
            }
            _ => error(404, "NOT_FOUND", "The requested resource does not exist"),
        }
    }
}

const GRANT: &str = "urn:ietf:params:oauth:grant-type:jwt-bearer";

/// `exp` within three minutes, as its documentation says.
fn check(jwt: &Jwt) -> Result<(), &'static str> {
    if jwt.claim("iss") != CONSUMER_KEY {
        return Err("client identifier invalid");
    }
    if jwt.claim("sub") != USER {
        return Err("user hasn't approved this consumer");
    }
    if jwt.claim("aud") != format!("https://{LOGIN}") {
        return Err("audience is invalid");
    }
    jwt.check_times(180)
        .map_err(|_| "expired authorization code")
}

fn answer_query(soql: Option<&str>) -> ApiResponse {
    let Some(soql) = soql.filter(|soql| soql.to_ascii_lowercase().starts_with("select ")) else {
        return error(400, "MALFORMED_QUERY", "unexpected token");
    };
    if !soql.contains("FROM Account") {
        return error(400, "INVALID_TYPE", "sObject type is not supported");
    }
    let record = json!({
        "attributes": {"type": "Account", "url": "/services/data/v60.0/sobjects/Account/001"},
        "Id": "001",
        "Name": "Acme",
    });
    let found = json!({"totalSize": 1, "done": true, "records": [record]});
    ApiResponse::json(200, &found)
}

fn describe() -> Value {
    let field = |name: &str, kind: &str| json!({"name": name, "type": kind});
    json!({
        "name": "Account",
        "queryable": true,
        "fields": [field("Id", "id"), field("Name", "string")],
    })
}

/// Its errors are a list, and not those of OAuth.
fn error(status: u16, code: &str, message: &str) -> ApiResponse {
    ApiResponse::json(status, &json!([{"message": message, "errorCode": code}]))
}
