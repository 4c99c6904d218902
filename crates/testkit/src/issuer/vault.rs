//! The key-value store, version 2, of HashiCorp Vault and OpenBao.

use std::collections::HashMap;
use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use serde_json::{Value, json};

use super::lock;
use crate::api::{Api, ApiRequest, ApiResponse};
use crate::{Ca, Workdir};

/// The name that it serves.
pub const HOST: &str = "vault.acme.test";

/// The store, until it is dropped.
pub struct Vault {
    api: Api,
    state: Arc<Mutex<State>>,
}

struct State {
    token: String,
    namespace: Option<String>,
    sealed: bool,
    /// Versions by `MOUNT/PATH`, none for one that was deleted.
    secrets: HashMap<String, Vec<Option<Value>>>,
}

impl Vault {
    /// Starts it; `token` may read everything.
    pub fn start(workdir: &Workdir, ca: &Ca, token: &str) -> io::Result<Self> {
        let state = Arc::new(Mutex::new(State {
            token: token.to_owned(),
            namespace: None,
            sealed: false,
            secrets: HashMap::new(),
        }));
        let shared = Arc::clone(&state);
        let api = Api::start(workdir, ca, &[HOST], move |request| {
            lock(&shared).answer(request)
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

    /// Writes a new version of a secret; `place` is `MOUNT/PATH`.
    pub fn put(&self, place: &str, fields: Value) {
        let mut state = lock(&self.state);
        let versions = state.secrets.entry(place.to_owned()).or_default();
        versions.push(Some(fields));
    }

    /// Deletes the newest version of a secret.
    pub fn delete(&self, place: &str) {
        let mut state = lock(&self.state);
        if let Some(last) = state.secrets.get_mut(place).and_then(|all| all.last_mut()) {
            *last = None;
        }
    }

    /// Seals it, or opens it again.
    pub fn seal(&self, sealed: bool) {
        lock(&self.state).sealed = sealed;
    }

    /// Serves its secrets in a namespace only.
    pub fn set_namespace(&self, namespace: &str) {
        lock(&self.state).namespace = Some(namespace.to_owned());
    }
}

impl State {
    fn answer(&self, request: &ApiRequest) -> ApiResponse {
        if self.sealed {
            return errors(503, &["Vault is sealed"]);
        }
        let is_known = request.header("x-vault-token") == Some(&self.token);
        let is_here = request.header("x-vault-namespace") == self.namespace.as_deref();
        if !is_known || !is_here {
            return errors(403, &["permission denied"]);
        }
        let place = request.path.strip_prefix("/v1/").unwrap_or_default();
        let Some((mount, path)) = place.split_once("/data/") else {
            // The paths of version 1 answer so on a mount of version 2.
            return errors(404, &["Invalid path for a versioned K/V secrets engine."]);
        };
        if request.method != "GET" {
            return errors(405, &[]);
        }
        self.read(&format!("{mount}/{path}"))
    }

    fn read(&self, place: &str) -> ApiResponse {
        let Some(versions) = self.secrets.get(place) else {
            return errors(404, &[]);
        };
        let newest = versions.last().cloned().flatten();
        let deletion_time = match newest {
            Some(_) => "",
            None => "2026-11-22T06:00:00.000000000Z",
        };
        let status = if newest.is_some() { 200 } else { 404 };
        let body = json!({
            "request_id": "0c4e2f0c-0000-0000-0000-000000000000",
            "lease_id": "",
            "renewable": false,
            "lease_duration": 0,
            "data": {
                "data": newest,
                "metadata": {
                    "created_time": "2026-11-22T06:00:00.000000000Z",
                    "custom_metadata": null,
                    "deletion_time": deletion_time,
                    "destroyed": false,
                    "version": versions.len(),
                },
            },
            "wrap_info": null,
            "warnings": null,
            "auth": null,
            "mount_type": "kv",
        });
        ApiResponse::json(status, &body).with("Cache-Control", "no-store")
    }
}

fn errors(status: u16, errors: &[&str]) -> ApiResponse {
    ApiResponse::json(status, &json!({"errors": errors}))
}
