//! Microsoft Entra ID's token endpoint (v2.0) and a little of Azure Resource Manager.

use std::collections::HashSet;
use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use serde_json::json;

use super::jwt::Verifier;
use super::{CLIENT_ID, CLIENT_SECRET, bearer, granted, host, is_form, lock, oauth_error, query};
use crate::api::{Api, ApiRequest, ApiResponse};
use crate::{Ca, Workdir};

/// Where tokens are given out.
pub const LOGIN: &str = "login.microsoftonline.com";

/// Where they are good.
pub const MANAGEMENT: &str = "management.azure.com";

/// What tokens for Azure OpenAI are asked for; [`crate::llm::CLOUDS`] takes them.
pub const MODELS: &str = "cognitiveservices.azure.com";

/// The directory.
pub const TENANT: &str = "acme.onmicrosoft.com";

/// The resource group that the subscription has.
pub const GROUP: &str = "/subscriptions/0000/resourceGroups/web";

/// Both services, until they are dropped.
pub struct Entra {
    api: Api,
    state: Arc<Mutex<State>>,
}

struct State {
    live: HashSet<String>,
    count: u32,
    /// What client assertions are checked with, and the thumbprint that they must name.
    certificate: Option<(Verifier, String)>,
    writes: Vec<String>,
}

impl Entra {
    /// Starts both under one address. [`CLIENT_ID`] and [`CLIENT_SECRET`] are the application's.
    pub fn start(workdir: &Workdir, ca: &Ca) -> io::Result<Self> {
        let state = Arc::new(Mutex::new(State {
            live: HashSet::new(),
            count: 0,
            certificate: None,
            writes: Vec::new(),
        }));
        let shared = Arc::clone(&state);
        let api = Api::start(workdir, ca, &[LOGIN, MANAGEMENT], move |request| {
            let mut state = lock(&shared);
            match host(request) {
                LOGIN => state.login(request),
                _ => state.manage(request),
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

    /// Wants a client assertion by this key from now on, and the certificate's SHA-256 (base64url)
    /// in its header, instead of the secret.
    pub fn require_certificate(&self, verifier: Verifier, thumbprint: &str) {
        lock(&self.state).certificate = Some((verifier, thumbprint.to_owned()));
    }

    /// Whether an access token is good.
    pub fn accepts(&self, token: &str) -> bool {
        lock(&self.state).live.contains(token)
    }

    /// Makes all access tokens so far useless.
    pub fn revoke_all(&self) {
        lock(&self.state).live.clear();
    }

    /// Requests with a good token that would have changed something, as `METHOD PATH`.
    pub fn writes(&self) -> Vec<String> {
        lock(&self.state).writes.clone()
    }
}

impl State {
    fn login(&mut self, request: &ApiRequest) -> ApiResponse {
        if request.path != format!("/{TENANT}/oauth2/v2.0/token") || !is_form(request) {
            return refusal(400, "invalid_request", "AADSTS90002: Tenant not found.");
        }
        let field = |name: &str| request.form(name).unwrap_or_default();
        if field("grant_type") != "client_credentials" {
            return refusal(400, "unsupported_grant_type", "AADSTS70003: Not supported.");
        }
        let of = |resource: &str| field("scope") == format!("https://{resource}/.default");
        if !of(MANAGEMENT) && !of(MODELS) {
            return refusal(
                400,
                "invalid_scope",
                "AADSTS1002012: The scope is not valid.",
            );
        }
        if field("client_id") != CLIENT_ID || !self.proves(request) {
            return refusal(
                401,
                "invalid_client",
                "AADSTS7000215: Invalid client secret provided.",
            );
        }
        self.count += 1;
        let token = token(self.count);
        self.live.insert(token.clone());
        granted(&json!({
            "token_type": "Bearer",
            "expires_in": 3599,
            "ext_expires_in": 3599,
            "access_token": token,
        }))
    }

    fn proves(&self, request: &ApiRequest) -> bool {
        let Some((verifier, thumbprint)) = &self.certificate else {
            return request.form("client_secret").as_deref() == Some(CLIENT_SECRET);
        };
        let kind = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";
        if request.form("client_assertion_type").as_deref() != Some(kind) {
            return false;
        }
        let assertion = request.form("client_assertion").unwrap_or_default();
        verifier.read(&assertion).is_ok_and(|jwt| {
            let audience = format!("https://{LOGIN}/{TENANT}/oauth2/v2.0/token");
            jwt.field("alg") == "PS256"
                && jwt.field("x5t#S256") == thumbprint
                && jwt.claim("iss") == CLIENT_ID
                && jwt.claim("sub") == CLIENT_ID
                && jwt.claim("aud") == audience
                && !jwt.claim("jti").is_empty()
                && jwt.check_times(600).is_ok()
        })
    }

    fn manage(&mut self, request: &ApiRequest) -> ApiResponse {
        if !bearer(request).is_some_and(|token| self.live.contains(token)) {
            let refused = arm_error(
                401,
                "InvalidAuthenticationToken",
                "The access token is invalid.",
            );
            return refused.with(
                "WWW-Authenticate",
                "Bearer authorization_uri=\"https://login.windows.net/\", error=\"invalid_token\"",
            );
        }
        if !query(request).contains_key("api-version") {
            return arm_error(400, "MissingApiVersionParameter", "api-version is missing");
        }
        if request.method != "GET" {
            let write = format!("{} {}", request.method, request.path);
            self.writes.push(write);
            return ApiResponse::json(202, &json!({}));
        }
        let group = json!({"id": GROUP, "name": "web", "location": "westeurope"});
        match request.path.as_str() {
            GROUP => ApiResponse::json(200, &group),
            "/subscriptions/0000/resourceGroups" => {
                ApiResponse::json(200, &json!({"value": [group]}))
            }
            "/tenants" => {
                let tenant =
                    json!({"tenantId": "1111", "displayName": "Acme", "defaultDomain": TENANT});
                ApiResponse::json(200, &json!({"value": [tenant]}))
            }
            "/subscriptions" => {
                let own = json!({"subscriptionId": "0000", "displayName": "Shop", "state": "Enabled", "tenantId": "1111"});
                ApiResponse::json(200, &json!({"value": [own]}))
            }
            "/subscriptions/0000/resources" => ApiResponse::json(200, &resources(request)),
            _ => arm_error(404, "ResourceNotFound", "There is no such resource."),
        }
    }
}

/// The access token that is given out as the `number`th.
pub fn token(number: u32) -> String {
    format!("eyJ0eXAi.access-{number}-of-entra.c2ln")
}

/// Resources in pages of two, the next of which is told by a link.
fn resources(request: &ApiRequest) -> serde_json::Value {
    let resource = |name: &str| {
        json!({
            "id": format!("{GROUP}/providers/Microsoft.Web/sites/{name}"),
            "name": name,
            "type": "Microsoft.Web/sites",
            "location": "westeurope",
            "properties": {"adminPassword": "adminPassword-of-the-shop"},
        })
    };
    if query(request).contains_key("$skiptoken") {
        return json!({"value": [resource("stock")]});
    }
    let next = format!(
        "https://{MANAGEMENT}{}?{}&$skiptoken=2",
        request.path, request.query
    );
    json!({"value": [resource("shop"), resource("mail")], "nextLink": next})
}

fn refusal(status: u16, code: &str, words: &str) -> ApiResponse {
    let trace = "\r\nTrace ID: 0000\r\nTimestamp: 2026-11-22 06:00:00Z";
    oauth_error(status, code, &format!("{words}{trace}"))
}

fn arm_error(status: u16, code: &str, message: &str) -> ApiResponse {
    ApiResponse::json(
        status,
        &json!({"error": {"code": code, "message": message}}),
    )
}
