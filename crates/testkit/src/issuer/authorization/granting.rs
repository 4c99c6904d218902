//! The endpoints of the authorization server: what it asks for, and what it gives out.

use std::collections::HashMap;

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::super::{granted, is_form, oauth_error, query};
use super::{Code, KNOWN, LOGIN, PUBLIC, State, issuer, resource};
use crate::api::{ApiRequest, ApiResponse};

impl State {
    /// The page on which a person says yes, who always does.
    pub(super) fn authorize(&mut self, request: &ApiRequest) -> ApiResponse {
        let asked = query(request);
        let get = |name: &str| asked.get(name).cloned().unwrap_or_default();
        let (client, redirect) = (get("client_id"), get("redirect_uri"));
        if !self.knows(&client, &redirect) {
            return ApiResponse::new(400, "no such client, or not this redirect");
        }
        let wrong = [
            ("response_type", get("response_type") == "code"),
            ("state", get("state").len() >= 32),
            (
                "code_challenge_method",
                get("code_challenge_method") == "S256",
            ),
            ("code_challenge", get("code_challenge").len() == 43),
            ("resource", get("resource") == resource()),
            ("scope", get("scope") == "tools offline_access"),
        ];
        if let Some((name, _)) = wrong.iter().find(|(_, is_right)| !is_right) {
            return ApiResponse::new(400, format!("{name} is not right"));
        }
        let code = self.next("code");
        let kept = Code {
            client,
            redirect: redirect.clone(),
            challenge: get("code_challenge"),
            is_used: false,
        };
        self.codes.insert(code.clone(), kept);
        let mut brought = HashMap::from([
            ("code".to_owned(), code),
            ("state".to_owned(), get("state")),
            ("iss".to_owned(), issuer()),
        ]);
        brought.extend(self.brings.clone());
        let pairs = brought.iter().filter(|(_, value)| !value.is_empty());
        let pairs: Vec<String> = pairs
            .map(|(name, value)| format!("{name}={value}"))
            .collect();
        ApiResponse::new(302, "").with("Location", &format!("{redirect}?{}", pairs.join("&")))
    }

    fn knows(&self, client: &str, redirect: &str) -> bool {
        let port = redirect.strip_prefix("http://127.0.0.1:");
        let port = port.and_then(|rest| rest.strip_suffix("/callback"));
        let is_loopback = port.is_some_and(|port| port.parse::<u16>().is_ok());
        match self.registered.get(client) {
            Some(redirects) => redirects.iter().any(|it| it == redirect),
            None => is_loopback && (client == KNOWN.0 || client == PUBLIC),
        }
    }

    pub(super) fn register(&mut self, request: &ApiRequest) -> ApiResponse {
        let asked = request.json();
        let redirects: Vec<String> = asked
            .get("redirect_uris")
            .and_then(Value::as_array)
            .into_iter()
            .flatten()
            .filter_map(|it| it.as_str().map(str::to_owned))
            .collect();
        let method = asked.get("token_endpoint_auth_method");
        if method.and_then(Value::as_str) != Some("none") {
            return oauth_error(400, "invalid_client_metadata", "only public clients");
        }
        let id = self.next("client");
        self.registered.insert(id.clone(), redirects.clone());
        let mut granted = json!({
            "client_id": id,
            "redirect_uris": redirects,
            "token_endpoint_auth_method": "none",
        });
        self.change("/register", &mut granted);
        ApiResponse::json(201, &granted)
    }

    pub(super) fn token(&mut self, request: &ApiRequest) -> ApiResponse {
        if !is_form(request) {
            return oauth_error(400, "invalid_request", "POST a form");
        }
        let client = match self.client(request) {
            Ok(client) => client,
            Err(refusal) => return refusal,
        };
        if request.form("resource").as_deref() != Some(resource().as_str()) {
            return oauth_error(400, "invalid_target", "tokens are for one resource");
        }
        match request.form("grant_type").as_deref() {
            Some("authorization_code") => self.redeem(request, &client),
            Some("refresh_token") => self.renew(request),
            Some("client_credentials") if client == KNOWN.0 => self.grant(false),
            Some("urn:ietf:params:oauth:grant-type:device_code") => self.poll(request),
            _ => oauth_error(400, "unauthorized_client", "not by this grant"),
        }
    }

    /// Who asks.
    fn client(&self, request: &ApiRequest) -> Result<String, ApiResponse> {
        let refused = || Err(oauth_error(401, "invalid_client", "who is that?"));
        if let Some(header) = request.header("authorization") {
            let pair = header
                .strip_prefix("Basic ")
                .and_then(|it| STANDARD.decode(it).ok());
            let pair = pair
                .and_then(|pair| String::from_utf8(pair).ok())
                .unwrap_or_default();
            let (id, secret) = pair.split_once(':').unwrap_or_default();
            let form = |text: &str| {
                let body = format!("v={text}").into_bytes();
                ApiRequest {
                    body,
                    ..request.clone()
                }
                .form("v")
                .unwrap_or_default()
            };
            return match (form(id), form(secret)) {
                (id, secret) if id == KNOWN.0 && secret == KNOWN.1 => Ok(id),
                _ => refused(),
            };
        }
        let id = request.form("client_id").unwrap_or_default();
        match request.form("client_secret") {
            None if id == PUBLIC || self.registered.contains_key(&id) => Ok(id),
            _ => refused(),
        }
    }

    fn redeem(&mut self, request: &ApiRequest, client: &str) -> ApiResponse {
        let given = request.form("code").unwrap_or_default();
        let verifier = request.form("code_verifier").unwrap_or_default();
        let challenge = URL_SAFE_NO_PAD.encode(Sha256::digest(verifier.as_bytes()));
        let redirect = request.form("redirect_uri").unwrap_or_default();
        let Some(code) = self.codes.get_mut(&given) else {
            return oauth_error(400, "invalid_grant", "there is no such code");
        };
        let is_right = !code.is_used
            && code.client == client
            && code.redirect == redirect
            && code.challenge == challenge;
        code.is_used = true;
        if !is_right {
            let words = format!("not this code: {given} {verifier}");
            return oauth_error(400, "invalid_grant", &words);
        }
        self.grant(true)
    }

    fn renew(&mut self, request: &ApiRequest) -> ApiResponse {
        let given = request.form("refresh_token").unwrap_or_default();
        if self.used.contains(&given) {
            // As RFC 9700, section 4.14.2 recommends: somebody else may have it.
            self.refresh.clear();
            self.live.clear();
        }
        if !self.refresh.remove(&given) {
            let words = format!("no good any more: {given}");
            return oauth_error(400, "invalid_grant", &words);
        }
        self.used.insert(given);
        self.grant(true)
    }

    fn grant(&mut self, is_renewable: bool) -> ApiResponse {
        let access = self.next("access");
        self.live.insert(access.clone());
        let mut renewing = None;
        if is_renewable && self.gives_refresh {
            let refresh = self.next("refresh");
            self.refresh.insert(refresh.clone());
            renewing = Some(refresh);
        }
        let mut body = json!({
            "access_token": access,
            "token_type": "bearer",
            "scope": "tools",
            "expires_in": self.lifetime,
            "refresh_token": renewing,
        });
        if let Some(members) = body.as_object_mut() {
            members.retain(|_, value| !value.is_null());
        }
        self.change("/token", &mut body);
        granted(&body)
    }

    pub(super) fn device(&mut self, request: &ApiRequest) -> ApiResponse {
        if request.form("resource").as_deref() != Some(resource().as_str()) {
            return oauth_error(400, "invalid_target", "tokens are for one resource");
        }
        let code = self.next("device");
        self.devices.insert(code.clone(), 0);
        let mut granted = json!({
            "device_code": code,
            "user_code": "WDJB-MJHT",
            "verification_uri": format!("https://{LOGIN}/device"),
            "expires_in": 60,
            "interval": 1,
        });
        self.change("/device", &mut granted);
        ApiResponse::json(200, &granted)
    }

    /// The person is done when it is asked for the second time.
    fn poll(&mut self, request: &ApiRequest) -> ApiResponse {
        let code = request.form("device_code").unwrap_or_default();
        match self.devices.get_mut(&code) {
            None => oauth_error(400, "invalid_grant", "there is no such code"),
            Some(count @ 0) => {
                *count += 1;
                oauth_error(400, "authorization_pending", "not yet")
            }
            Some(_) => {
                self.devices.remove(&code);
                self.grant(true)
            }
        }
    }

    pub(super) fn revoke(&mut self, request: &ApiRequest) -> ApiResponse {
        match self.client(request) {
            Ok(_) => {
                let token = request.form("token").unwrap_or_default();
                self.refresh.remove(&token);
                self.live.remove(&token);
                ApiResponse::new(200, "")
            }
            Err(refusal) => refusal,
        }
    }
}
