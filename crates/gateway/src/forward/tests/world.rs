//! A gateway with a policy, credentials and tokens, and what a test sends through it.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use aws_lc_rs::digest::{SHA256, digest};
use bytes::Bytes;
use http::{HeaderMap, Method, Request, Response, StatusCode};
use http_body_util::BodyExt as _;
use ringfence_model::{
    Action, Closing, CredentialName, Generation, HttpRequest, NoticeKind, Record, Scheme, Secret,
    TokenId,
};
use ringfence_policy::{Profile, Snapshot};
use tokio::sync::watch;
use tokio::task::JoinSet;

use super::upstream::{Ca, Upstream};
use crate::http::{RequestBody, ResponseBody, full};
use crate::testing::{Recorder, hosts, identity};
use crate::{
    Admission, Answer, CredentialError, Credentials, Gateway, Injection, Material, Need,
    NoApprovals, NoBudgets, NoHosted, NoPins, Permit, Ports, Session, Stopped, TokenEntry, Tokens,
    UpstreamPool,
};

/// The secret of the credential `github`.
pub(super) const SECRET: &str = "ghs_16C7e42F292c6912E7710c838347Ae178B4a";

/// Credentials in memory, that can be changed.
pub(super) struct Vault {
    known: Mutex<HashMap<CredentialName, Arc<Material>>>,
    changes: watch::Sender<u64>,
    /// How often an upstream did not accept one.
    pub(super) rejected: AtomicUsize,
    /// What a minted one becomes then.
    pub(super) next: Mutex<Option<Material>>,
    /// The path below which all of them count; everywhere where there is none.
    pub(super) below: Mutex<Option<&'static str>>,
    /// Whether it was opened, though nothing may have been asked of it.
    pub(super) open: AtomicBool,
}

pub(super) struct World {
    pub(super) gateway: Arc<Gateway>,
    pub(super) session: Arc<Session>,
    pub(super) audit: Arc<Recorder>,
    pub(super) vault: Arc<Vault>,
    pub(super) tokens: Arc<Tokens>,
    pub(super) pool: Arc<UpstreamPool>,
    _upstreams: JoinSet<()>,
    policy: watch::Sender<Arc<Snapshot>>,
}

/// A response that was read whole.
#[derive(Debug)]
pub(super) struct Got {
    pub(super) status: StatusCode,
    pub(super) headers: HeaderMap,
    pub(super) body: Bytes,
    pub(super) trailers: HeaderMap,
}

impl World {
    /// With the names `api.test` and `other.test` leading to `upstream`, and the sections of a
    /// profile as they stand in `rules`.
    pub(super) fn new(ca: &Ca, upstream: &Upstream, rules: &str) -> Self {
        let address = upstream.address;
        Self::at(ca, &[("api.test", address), ("other.test", address)], rules)
    }

    pub(super) fn at(ca: &Ca, names: &[(&str, SocketAddr)], rules: &str) -> Self {
        let mut config = hosts(names);
        config.dial.extra_roots = vec![ca.path()];
        let audit = Arc::new(Recorder::default());
        let policy = watch::Sender::new(Arc::new(snapshot(1, rules)));
        let vault = Arc::new(Vault {
            known: Mutex::default(),
            changes: watch::Sender::new(0),
            rejected: AtomicUsize::new(0),
            next: Mutex::default(),
            below: Mutex::default(),
            open: AtomicBool::default(),
        });
        vault.put(bearer("github", SECRET));
        let tokens = Arc::new(Tokens::default());
        let gateway = Gateway::new(
            config,
            Ports {
                audit: audit.clone(),
                policy: policy.subscribe(),
                credentials: vault.clone(),
                approvals: Arc::new(NoApprovals),
                budgets: Arc::new(NoBudgets),
                pins: Arc::new(NoPins),
                hosted: Arc::new(NoHosted),
            },
        );
        let session = Session::new(Admission {
            identity: identity(),
            authority: None,
            tokens: Arc::clone(&tokens),
        });
        let (pool, upstreams) = UpstreamPool::of(None);
        Self {
            gateway: gateway.unwrap(),
            session: Arc::new(session),
            audit,
            vault,
            tokens,
            pool,
            _upstreams: JoinSet::from_iter([upstreams.run()]),
            policy,
        }
    }

    /// From here on requests come on another connection.
    pub(super) fn reconnect(&mut self) {
        let (pool, upstreams) = UpstreamPool::of(None);
        self.pool = pool;
        self._upstreams = JoinSet::from_iter([upstreams.run()]);
    }

    pub(super) fn publish(&self, generation: u64, rules: &str) {
        self.policy
            .send_replace(Arc::new(snapshot(generation, rules)));
    }

    /// Issues a token for these credentials.
    pub(super) fn issue(&self, scope: &[&str]) -> String {
        let id = TokenId::new();
        let raw = digest(&SHA256, id.to_string().as_bytes());
        let token = {
            use base64::Engine as _;
            let engine = base64::engine::general_purpose::URL_SAFE_NO_PAD;
            format!("rf_{}", engine.encode(raw))
        };
        let mut entries = self.tokens.entries();
        entries.push(TokenEntry {
            id,
            digest: digest(&SHA256, token.as_bytes())
                .as_ref()
                .try_into()
                .unwrap(),
            scope: scope.iter().map(|name| name.parse().unwrap()).collect(),
            expires: None,
        });
        self.tokens.replace(entries);
        token
    }

    pub(super) fn permit(&self, request: &Request<RequestBody>) -> Permit {
        let action = Action::Http(action(request));
        self.gateway.decide(&self.session, action, None).unwrap()
    }

    pub(super) async fn forward(
        &self,
        request: Request<RequestBody>,
    ) -> Result<Response<ResponseBody>, Stopped> {
        let permit = self.permit(&request);
        self.gateway
            .forward(&self.session, &self.pool, permit, request)
            .await
    }

    /// Sends a request and reads the response whole.
    pub(super) async fn send(&self, request: Request<RequestBody>) -> Result<Got, Stopped> {
        Ok(read(self.forward(request).await?).await.unwrap())
    }

    /// Why a request is not answered: the stable code or `failed`, and the words.
    pub(super) async fn stopped(&self, request: Request<RequestBody>) -> (String, String) {
        match self.forward(request).await {
            Ok(response) => panic!("it was answered: {}", response.status()),
            Err(Stopped::Refused(refusal)) => {
                let code = refusal.code().as_str().to_owned();
                (code, refusal.decision.reason.clone())
            }
            Err(Stopped::Failed(failure)) => ("failed".to_owned(), failure.reason),
        }
    }

    pub(super) fn findings(&self, wanted: &str) -> Vec<String> {
        let finding = |record| match record {
            Record::Notice(notice) => match notice.kind {
                NoticeKind::Finding { code, detail } if code == wanted => Some(detail),
                _ => None,
            },
            _ => None,
        };
        let records = self.audit.records();
        records.into_iter().filter_map(finding).collect()
    }

    /// How the last action ended.
    pub(super) fn closing(&self) -> Closing {
        let event = self.audit.opened().pop().unwrap().id;
        self.audit.closing_of(event).unwrap()
    }

    /// Everything that was recorded, as text.
    pub(super) fn record(&self) -> String {
        serde_json::to_string(&self.audit.records()).unwrap()
    }
}

impl Vault {
    /// Adds a credential, or a new version of it.
    pub(super) fn put(&self, material: Material) {
        let mut known = self.known.lock().unwrap();
        known.insert(material.name.clone(), Arc::new(material));
        drop(known);
        self.changes.send_modify(|changes| *changes += 1);
    }

    pub(super) fn revoke(&self, name: &str) {
        self.known.lock().unwrap().remove(&name.parse().unwrap());
        self.changes.send_modify(|changes| *changes += 1);
    }
}

impl Credentials for Vault {
    fn material<'a>(
        &'a self,
        need: Need<'a>,
    ) -> Answer<'a, Result<Arc<Material>, CredentialError>> {
        let known = self.known.lock().unwrap().get(need.name).cloned();
        let below = *self.below.lock().unwrap();
        let known = known.filter(|_| below.is_none_or(|below| need.path.starts_with(below)));
        let unknown = || CredentialError::Unknown(need.name.clone());
        Box::pin(std::future::ready(known.ok_or_else(unknown)))
    }

    fn in_use(&self) -> bool {
        self.open.load(Ordering::SeqCst)
    }

    fn rejected(&self, material: &Material) {
        self.rejected.fetch_add(1, Ordering::SeqCst);
        if let Some(next) = self.next.lock().unwrap().take() {
            let mut known = self.known.lock().unwrap();
            known.insert(material.name.clone(), Arc::new(next));
        }
    }

    fn changes(&self) -> watch::Receiver<u64> {
        self.changes.subscribe()
    }

    fn is_current(&self, material: &Material) -> bool {
        let known = self.known.lock().unwrap();
        let current = known.get(&material.name);
        current.is_some_and(|current| current.version == material.version)
    }
}

pub(super) fn material(name: &str, injections: Vec<Injection>, secret: &str) -> Material {
    Material {
        name: name.parse().unwrap(),
        version: 1,
        injections,
        value: Some(Secret::new(secret)),
        secrets: vec![Secret::new(secret)],
        minted: false,
    }
}

pub(super) fn bearer(name: &str, secret: &str) -> Material {
    material(
        name,
        vec![header("authorization", &format!("Bearer {secret}"))],
        secret,
    )
}

pub(super) fn header(name: &str, value: &str) -> Injection {
    Injection::Header {
        name: name.to_owned(),
        value: Secret::new(value),
    }
}

pub(super) fn get(url: &str) -> Request<RequestBody> {
    request("GET", url, &[], "")
}

pub(super) fn request(
    method: &str,
    url: &str,
    headers: &[(&str, &str)],
    body: impl Into<Bytes>,
) -> Request<RequestBody> {
    let mut request = Request::new(full(body));
    *request.method_mut() = method.parse::<Method>().unwrap();
    *request.uri_mut() = url.parse().unwrap();
    for (name, value) in headers {
        let name: http::HeaderName = name.parse().unwrap();
        request.headers_mut().append(name, value.parse().unwrap());
    }
    request
}

pub(super) fn over_http2(mut request: Request<RequestBody>) -> Request<RequestBody> {
    *request.version_mut() = http::Version::HTTP_2;
    request
}

pub(super) async fn read(response: Response<ResponseBody>) -> Result<Got, crate::http::BodyError> {
    let (head, body) = response.into_parts();
    let collected = body.collect().await?;
    let trailers = collected.trailers().cloned().unwrap_or_default();
    Ok(Got {
        status: head.status,
        headers: head.headers,
        body: collected.to_bytes(),
        trailers,
    })
}

/// What the crate above would make of a request.
pub(super) fn action(request: &Request<RequestBody>) -> HttpRequest {
    let uri = request.uri();
    let port = uri.port_u16().unwrap_or(443);
    let destination = format!("{}:{port}", uri.host().unwrap());
    HttpRequest {
        destination: destination.parse().unwrap(),
        scheme: Scheme::Https,
        method: request.method().to_string(),
        path: uri.path().to_owned(),
        query: uri.query().map(crate::without_tokens),
        headers: Vec::new(),
        content: None,
    }
}

fn snapshot(generation: u64, rules: &str) -> Snapshot {
    let text = format!("apiVersion: ringfence/v1\nkind: Profile\nname: test\n{rules}\n");
    let profiles = Profile::parse("test", &text).unwrap();
    Snapshot::compile(Generation(generation), &profiles).unwrap()
}

/// Rules that let every request to `api.test` pass with the credential `github`.
pub(super) const WITH_GITHUB: &str = "api:\n  - allow: { id: all, host: api.test, methods: [GET, HEAD, POST, PUT], paths: [\"/**\"], credential: github }";

impl Got {
    pub(super) fn text(&self) -> &str {
        std::str::from_utf8(&self.body).unwrap()
    }

    /// Everything that the agent can see.
    pub(super) fn everything(&self) -> String {
        format!("{:?} {:?} {:?}", self.headers, self.body, self.trailers)
    }
}
