//! An authorization server of the Model Context Protocol (OAuth 2.1), and a server that takes its
//! tokens and no others. Both are strict, and each checks by its own code: challenges of PKCE, the
//! redirect, the resource, who the client is, and that a code and a refresh token are used once.

mod granting;

use std::collections::{HashMap, HashSet};
use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use serde_json::{Value, json};

use super::{bearer, host, lock};
use crate::api::{Api, ApiRequest, ApiResponse};
use crate::{Ca, Workdir};

/// The name of the authorization server.
pub const LOGIN: &str = "login.acme.test";

/// The name of the server that it gives tokens for, at `/mcp`.
pub const SERVER: &str = "protected.acme.test";

/// A client that a person registered, with a secret.
pub const KNOWN: (&str, &str) = ("known client", "cl1ent+s3cret/with=&%:and space~");

/// A client that a person registered, without one.
pub const PUBLIC: &str = "public-client";

/// Both servers, until it is dropped.
pub struct Authorization {
    api: Api,
    state: Arc<Mutex<State>>,
}

#[derive(Default)]
struct State {
    count: u32,
    /// Clients that were registered, with their redirects.
    registered: HashMap<String, Vec<String>>,
    codes: HashMap<String, Code>,
    devices: HashMap<String, u32>,
    live: HashSet<String>,
    refresh: HashSet<String>,
    used: HashSet<String>,
    lifetime: Option<i64>,
    gives_refresh: bool,
    /// What an answer at this path is instead.
    instead: HashMap<String, ApiResponse>,
    /// Members that documents at this path have besides; null takes one out.
    members: HashMap<String, Value>,
    /// What the browser brings back besides; an empty value takes a parameter out.
    brings: HashMap<String, String>,
    challenge: Option<String>,
}

struct Code {
    client: String,
    redirect: String,
    challenge: String,
    is_used: bool,
}

impl Authorization {
    /// Starts both.
    pub fn start(workdir: &Workdir, ca: &Ca) -> io::Result<Self> {
        let state = Arc::new(Mutex::new(State {
            lifetime: Some(3600),
            gives_refresh: true,
            ..State::default()
        }));
        let shared = Arc::clone(&state);
        let api = Api::start(workdir, ca, &[LOGIN, SERVER], move |request| {
            lock(&shared).answer(request)
        })?;
        Ok(Self { api, state })
    }

    /// Where HTTPS is served, under both names.
    pub fn https(&self) -> SocketAddr {
        self.api.https()
    }

    /// Every request so far to one of them.
    pub fn requests(&self, name: &str) -> Vec<ApiRequest> {
        let mut requests = self.api.requests();
        requests.retain(|it| host(it) == name);
        requests
    }

    /// How often tokens were asked for.
    pub fn token_requests(&self) -> Vec<ApiRequest> {
        let mut requests = self.requests(LOGIN);
        requests.retain(|it| it.path == "/token");
        requests
    }

    /// Answers this at a path from now on.
    pub fn instead(&self, path: &str, answer: ApiResponse) {
        lock(&self.state).instead.insert(path.to_owned(), answer);
    }

    /// Gives documents at a path further members, or others; null takes one out.
    pub fn members(&self, path: &str, members: Value) {
        lock(&self.state).members.insert(path.to_owned(), members);
    }

    /// Has the browser bring another value of a parameter; an empty one takes it out.
    pub fn brings(&self, name: &str, value: &str) {
        lock(&self.state)
            .brings
            .insert(name.to_owned(), value.to_owned());
    }

    /// Has the server want this (`WWW-Authenticate`).
    pub fn challenge(&self, value: &str) {
        lock(&self.state).challenge = Some(value.to_owned());
    }

    /// How long new access tokens are said to live; none for no word of it.
    pub fn set_lifetime(&self, seconds: Option<i64>) {
        lock(&self.state).lifetime = seconds;
    }

    /// Gives no refresh tokens from now on.
    pub fn give_no_refresh_tokens(&self) {
        lock(&self.state).gives_refresh = false;
    }

    /// Makes all access tokens so far useless.
    pub fn expire_all(&self) {
        lock(&self.state).live.clear();
    }

    /// Makes all refresh tokens so far useless.
    pub fn revoke_all(&self) {
        lock(&self.state).refresh.clear();
    }

    /// All tokens that were ever given out and are good.
    pub fn good(&self) -> Vec<String> {
        let state = lock(&self.state);
        state.live.iter().chain(&state.refresh).cloned().collect()
    }
}

impl State {
    fn answer(&mut self, request: &ApiRequest) -> ApiResponse {
        if let Some(instead) = self.instead.get(&request.path) {
            return instead.clone();
        }
        match (
            host(request),
            request.method.as_str(),
            request.path.as_str(),
        ) {
            (SERVER, "GET", "/.well-known/oauth-protected-resource/mcp") => {
                self.document(&request.path, resource_document())
            }
            (SERVER, "POST", "/mcp" | "/open") => self.serve(request),
            (LOGIN, "GET", "/.well-known/oauth-authorization-server") => {
                self.document(&request.path, issuer_document())
            }
            (LOGIN, "GET", "/authorize") => self.authorize(request),
            (LOGIN, "POST", "/register") => self.register(request),
            (LOGIN, "POST", "/token") => self.token(request),
            (LOGIN, "POST", "/device") => self.device(request),
            (LOGIN, "POST", "/revoke") => self.revoke(request),
            _ => ApiResponse::new(404, ""),
        }
    }

    fn document(&self, path: &str, mut document: Value) -> ApiResponse {
        self.change(path, &mut document);
        ApiResponse::json(200, &document)
    }

    fn change(&self, path: &str, document: &mut Value) {
        let members = self.members.get(path).and_then(Value::as_object);
        let Some(own) = document.as_object_mut() else {
            return;
        };
        for (name, value) in members.into_iter().flatten() {
            own.remove(name);
            if !value.is_null() {
                own.insert(name.clone(), value.clone());
            }
        }
    }

    fn next(&mut self, what: &str) -> String {
        self.count += 1;
        format!("{what}-{}-Zq8mLw3TxV7pRb2NcKd5", self.count)
    }

    /// The server: what it has are two tools, of which one says what it was called with. At `/open` it
    /// wants no token.
    fn serve(&self, request: &ApiRequest) -> ApiResponse {
        let is_good = request.path == "/open"
            || bearer(request).is_some_and(|token| self.live.contains(token));
        if !is_good {
            let usual = format!(
                "Bearer resource_metadata=\"https://{SERVER}/.well-known/oauth-protected-resource/mcp\", scope=\"tools\""
            );
            let challenge = self.challenge.as_deref().unwrap_or(&usual);
            let refused = ApiResponse::json(401, &json!({"error": "invalid_token"}));
            return refused.with("WWW-Authenticate", challenge);
        }
        let asked = request.json();
        let text = |at: &str| {
            asked
                .pointer(at)
                .and_then(Value::as_str)
                .unwrap_or_default()
        };
        let id = asked.get("id").cloned().unwrap_or_default();
        let result = match text("/method") {
            "initialize" => json!({
                "protocolVersion": "2025-11-25",
                "capabilities": {"tools": {}},
                "serverInfo": {"name": "protected", "version": "1"},
            }),
            "tools/list" => json!({"tools": [
                {"name": "count", "description": "Counts", "inputSchema": {"type": "object"}},
                {"name": "who", "description": "Says who calls", "inputSchema": {"type": "object"}},
            ]}),
            "tools/call" if text("/params/name") == "who" => {
                let header = request.header("authorization").unwrap_or_default();
                json!({"content": [{"type": "text", "text": format!("you are {header}")}]})
            }
            "tools/call" => json!({"content": [{"type": "text", "text": "one, two"}]}),
            _ if id.is_null() => return ApiResponse::new(202, ""),
            _ => json!({}),
        };
        ApiResponse::json(200, &json!({"jsonrpc": "2.0", "id": id, "result": result}))
    }
}

fn resource() -> String {
    format!("https://{SERVER}/mcp")
}

fn issuer() -> String {
    format!("https://{LOGIN}")
}

fn resource_document() -> Value {
    json!({
        "resource": resource(),
        "authorization_servers": [issuer()],
        "scopes_supported": ["tools", "everything"],
        "bearer_methods_supported": ["header"],
    })
}

fn issuer_document() -> Value {
    let at = |path: &str| format!("{}/{path}", issuer());
    json!({
        "issuer": issuer(),
        "authorization_endpoint": at("authorize"),
        "token_endpoint": at("token"),
        "registration_endpoint": at("register"),
        "device_authorization_endpoint": at("device"),
        "revocation_endpoint": at("revoke"),
        "response_types_supported": ["code"],
        "grant_types_supported": ["authorization_code", "refresh_token"],
        "code_challenge_methods_supported": ["S256"],
        "token_endpoint_auth_methods_supported": ["none", "client_secret_basic"],
        "scopes_supported": ["tools", "offline_access"],
        "authorization_response_iss_parameter_supported": true,
    })
}
