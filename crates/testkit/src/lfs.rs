//! A server of Git LFS beside a git server: the batch and lock APIs under the host of the repositories,
//! and the objects on a host of their own, for whoever shows what a batch said. It can misbehave.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use crate::api::{Api, ApiRequest, ApiResponse};
use crate::ca::Ca;
use crate::git::GitServer;
use crate::port::ReservedPort;
use crate::process::Server;
use crate::{Workdir, nginx};

/// Where objects are.
pub const OBJECTS: &str = "objects.acme.test";

/// What a batch says to show there.
pub const OBJECT_TOKEN: &str = "RemoteAuth q8Zr2-only-for-objects";

/// The server.
pub struct LfsServer {
    // In this order: nginx ends before what it forwards to.
    _front: Server,
    api: Api,
    https: ReservedPort,
    store: Arc<Mutex<Store>>,
}

/// What is stored, and how it is given out.
#[derive(Debug)]
pub struct Store {
    /// By the SHA-256.
    pub objects: BTreeMap<String, Vec<u8>>,
    /// What the API was told to be there, after its upload.
    pub verified: Vec<String>,
    /// The paths that are locked, by the id of the lock.
    pub locks: BTreeMap<String, String>,
    /// What places of objects begin with.
    pub base: String,
    /// For how many seconds they are good, as is said.
    pub seconds: u64,
    /// Whether other octets of the same length are given out.
    pub is_corrupt: bool,
}

impl LfsServer {
    /// Starts it in front of `git`, whose host is `name`. The API is for this user with this password.
    pub fn start(
        workdir: &Workdir,
        ca: &Ca,
        (name, git): (&str, &GitServer),
        (user, password): (&str, &str),
    ) -> io::Result<Self> {
        let store = Arc::new(Mutex::new(Store {
            objects: BTreeMap::new(),
            verified: Vec::new(),
            locks: BTreeMap::new(),
            base: format!("https://{OBJECTS}"),
            seconds: 3600,
            is_corrupt: false,
        }));
        let shared = Arc::clone(&store);
        let basic = BASE64_STANDARD.encode(format!("{user}:{password}"));
        let basic = format!("Basic {basic}");
        let api = Api::start(workdir, ca, &[OBJECTS, name], move |request| {
            let mut store = shared.lock().unwrap_or_else(PoisonError::into_inner);
            store.answer(request, &basic)
        })?;
        let https = ReservedPort::new()?;
        let leaf = ca.leaf(&[name])?;
        let (certificate, key) = (leaf.certificate.display(), leaf.key.display());
        let (address, to_api, to_git) = (https.address(), api.https(), git.https());
        let common = "proxy_http_version 1.1; proxy_set_header Host $http_host;
            proxy_ssl_verify off; proxy_request_buffering off; proxy_buffering off;";
        let site = format!(
            r"server {{
        listen {address} ssl http2;
        ssl_certificate {certificate};
        ssl_certificate_key {key};
        location ~ /info/lfs/ {{ proxy_pass https://{to_api}; {common} }}
        location / {{ proxy_pass https://{to_git}; {common} }}
    }}"
        );
        let record = workdir.join("lfs-requests.jsonl");
        let front = nginx::start(workdir, "nginx-lfs", &record, &site, address)?;
        Ok(Self {
            _front: front,
            api,
            https,
            store,
        })
    }

    /// Where the repositories and the API are.
    pub fn https(&self) -> SocketAddr {
        self.https.address()
    }

    /// Where the objects are.
    pub fn objects(&self) -> SocketAddr {
        self.api.https()
    }

    /// Every request to the API and for objects.
    pub fn requests(&self) -> Vec<ApiRequest> {
        self.api.requests()
    }

    /// What is stored, and how it is given out.
    pub fn store(&self) -> MutexGuard<'_, Store> {
        self.store.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Stores an object, and gives back the file that stands for it in a repository.
    pub fn put(&self, octets: &[u8]) -> String {
        let oid = sha256(octets);
        let pointer = format!(
            "version https://git-lfs.github.com/spec/v1\noid sha256:{oid}\nsize {}\n",
            octets.len()
        );
        self.store().objects.insert(oid, octets.to_vec());
        pointer
    }
}

/// The name of an object.
pub fn sha256(octets: &[u8]) -> String {
    let mut text = String::new();
    for octet in Sha256::digest(octets) {
        let _ = write!(text, "{octet:02x}");
    }
    text
}

impl Store {
    fn answer(&mut self, request: &ApiRequest, basic: &str) -> ApiResponse {
        let shown = request.header("authorization");
        if request.header("host") == Some(OBJECTS) {
            return match shown {
                Some(OBJECT_TOKEN) => self.object(request),
                _ => message(403, "this is not for you"),
            };
        }
        if shown != Some(basic) {
            return message(401, "credentials needed");
        }
        let parts = request.path.split_once("/info/lfs/");
        let tail = parts.map_or("", |(_, tail)| tail);
        let parts: Vec<&str> = tail.split('/').collect();
        match (request.method.as_str(), parts.as_slice()) {
            ("POST", ["objects", "batch"]) => self.batch(&request.json()),
            ("POST", ["locks", "verify"]) => lfs(
                200,
                &json!({ "ours": self.locks(), "theirs": [], "next_cursor": "" }),
            ),
            ("GET", ["locks"]) => lfs(200, &json!({ "locks": self.locks() })),
            ("POST", ["locks"]) => {
                let document = request.json();
                let path = document
                    .get("path")
                    .and_then(Value::as_str)
                    .unwrap_or_default()
                    .to_owned();
                let id = format!("{}", self.locks.len() + 1);
                self.locks.insert(id.clone(), path.clone());
                lfs(201, &json!({ "lock": lock(&id, &path) }))
            }
            ("POST", ["locks", id, "unlock"]) => match self.locks.remove(*id) {
                Some(path) => lfs(200, &json!({ "lock": lock(id, &path) })),
                None => message(404, "no such lock"),
            },
            _ => message(404, "not found"),
        }
    }

    fn batch(&self, request: &Value) -> ApiResponse {
        let upload = request["operation"] == "upload";
        let asked = request["objects"].as_array().cloned().unwrap_or_default();
        let objects: Vec<Value> = asked.iter().map(|it| self.listed(it, upload)).collect();
        lfs(
            200,
            &json!({ "transfer": "basic", "objects": objects, "hash_algo": "sha256" }),
        )
    }

    fn listed(&self, asked: &Value, upload: bool) -> Value {
        let oid = asked["oid"].as_str().unwrap_or_default();
        let size = &asked["size"];
        let known = self.objects.contains_key(oid);
        let step = |tail: &str| {
            json!({
                "href": format!("{}/{tail}/{oid}?signature=a-url-that-is-a-credential", self.base),
                "header": { "Authorization": OBJECT_TOKEN },
                "expires_in": self.seconds,
            })
        };
        let actions = match (upload, known) {
            (true, true) => json!({}),
            (true, false) => json!({ "upload": step("put"), "verify": step("verify") }),
            (false, true) => json!({ "download": step("get") }),
            (false, false) => {
                let error = json!({ "code": 404, "message": "the object does not exist" });
                return json!({ "oid": oid, "size": size, "error": error });
            }
        };
        json!({ "oid": oid, "size": size, "authenticated": true, "actions": actions })
    }

    fn object(&mut self, request: &ApiRequest) -> ApiResponse {
        let parts: Vec<&str> = request.path.split('/').skip(1).collect();
        match (request.method.as_str(), parts.as_slice()) {
            ("GET", ["get", oid]) => match self.objects.get(*oid) {
                Some(octets) if self.is_corrupt => ApiResponse::new(200, vec![b'x'; octets.len()]),
                Some(octets) => ApiResponse::new(200, octets.clone()),
                None => message(404, "no such object"),
            },
            ("PUT", ["put", oid]) => {
                self.objects.insert((*oid).to_owned(), request.body.clone());
                ApiResponse::new(200, "")
            }
            ("POST", ["verify", oid]) => {
                let stored = self.objects.get(*oid).map(Vec::len);
                if request.json().get("size") != Some(&json!(stored)) {
                    return message(404, "no such object");
                }
                self.verified.push((*oid).to_owned());
                ApiResponse::new(200, "")
            }
            _ => message(404, "not found"),
        }
    }

    fn locks(&self) -> Vec<Value> {
        let locks = self.locks.iter();
        locks.map(|(id, path)| lock(id, path)).collect()
    }
}

fn lock(id: &str, path: &str) -> Value {
    json!({
        "id": id, "path": path, "locked_at": "2026-01-02T03:04:05Z", "owner": { "name": "Agent" },
    })
}

fn message(status: u16, message: &str) -> ApiResponse {
    lfs(status, &json!({ "message": message }))
}

fn lfs(status: u16, body: &Value) -> ApiResponse {
    ApiResponse::new(status, body.to_string()).with("Content-Type", "application/vnd.git-lfs+json")
}
