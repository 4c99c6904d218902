//! What must hold upstream before a request is sent: a `GET` of the gateway's own, with the same
//! credential to the same host, whose JSON answer must satisfy the rule. An answer counts for a
//! short time, and one that did not come counts as no.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use http_body_util::{BodyExt as _, Limited};
use ringfence_model::{
    CredentialName, Destination, GraphqlKind, HttpRequest, ReasonCode, SandboxId, Scheme,
};
use ringfence_policy::Precondition;
use serde_json::Value;
use tokio::sync::OnceCell;
use tokio::time::timeout;

use super::draft::Draft;
use super::exchange::{Chosen, Exchange};
use super::fault::Fault;
use super::inject::replace;
use super::payload::Payload;
use crate::limits::{PRECONDITION_KEPT, PRECONDITION_OCTETS, PRECONDITION_WAIT, PRECONDITIONS};

/// Answers that still count.
#[derive(Default)]
pub(super) struct Preconditions {
    known: Mutex<HashMap<Key, Arc<Entry>>>,
}

/// Whose answer it is. A rotated credential may see another one.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct Key {
    sandbox: SandboxId,
    credential: Option<(CredentialName, u64)>,
    scheme: Scheme,
    destination: Destination,
    path: String,
}

/// One answer; who comes while it is fetched waits for it.
struct Entry {
    since: Instant,
    answer: OnceCell<Arc<Value>>,
}

/// Fails unless the precondition holds.
pub(super) async fn check(
    exchange: &Exchange<'_>,
    wanted: &Precondition,
    chosen: &Chosen,
) -> Result<(), Fault> {
    let request = exchange.request()?;
    let key = Key {
        sandbox: exchange.session.identity().sandbox,
        credential: chosen.credential.as_ref().map(|used| {
            let material = &used.material;
            (material.name.clone(), material.version)
        }),
        scheme: request.scheme,
        destination: request.destination.clone(),
        path: wanted.path.clone(),
    };
    let known = &exchange.gateway.upstreams().preconditions;
    // What changes something is asked for anew, so that what it rests on is not yesterday's.
    let entry = known.entry(key, !is_read(request));
    let fetching = || async {
        timeout(PRECONDITION_WAIT, fetch(exchange, wanted, chosen))
            .await
            .map_err(|_| missed(wanted, "did not answer in time"))?
    };
    let answer = entry.answer.get_or_try_init(fetching).await?;
    hold(wanted, answer)
}

impl Preconditions {
    fn entry(&self, key: Key, anew: bool) -> Arc<Entry> {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        let counts = |entry: &Arc<Entry>| entry.since.elapsed() < PRECONDITION_KEPT;
        if let Some(entry) = known.get(&key).filter(|entry| !anew && counts(entry)) {
            return Arc::clone(entry);
        }
        if known.len() >= PRECONDITIONS {
            known.retain(|_, entry| counts(entry));
            if known.len() >= PRECONDITIONS {
                known.clear();
            }
        }
        let entry = Arc::new(Entry {
            since: Instant::now(),
            answer: OnceCell::new(),
        });
        known.insert(key, Arc::clone(&entry));
        entry
    }
}

async fn fetch(
    exchange: &Exchange<'_>,
    wanted: &Precondition,
    chosen: &Chosen,
) -> Result<Arc<Value>, Fault> {
    let (path, query) = match wanted.path.split_once('?') {
        Some((path, query)) => (path, Some(query)),
        None => (wanted.path.as_str(), None),
    };
    let mut draft = Draft::own(exchange.request()?, path, query);
    let mut payload = Payload::new(crate::http::empty());
    let mut chosen = chosen.clone();
    if let Some(used) = &mut chosen.credential {
        // A credential may be bound to some paths of the host, which this one need not be among.
        let name = used.material.name.clone();
        *used = exchange.material(&name, path).await?;
        replace(&mut draft, &mut payload, &used.material).await?;
    }
    let watch = exchange.watch();
    let (response, lease) = exchange.exchange(draft, payload, (&chosen, &watch)).await?;
    let status = response.status().as_u16();
    if status != 200 {
        return Err(missed(wanted, &format!("answered {status}")));
    }
    let body = Limited::new(response.into_body(), PRECONDITION_OCTETS);
    let whole = body.collect().await;
    let whole = whole.map_err(|error| missed(wanted, &format!("broke off: {error}")))?;
    lease.give_back();
    let parsed = serde_json::from_slice(&whole.to_bytes());
    parsed
        .map(Arc::new)
        .map_err(|_| missed(wanted, "did not answer with JSON"))
}

fn hold(wanted: &Precondition, answer: &Value) -> Result<(), Fault> {
    let schema = wanted.schema.as_ref();
    if schema.is_some_and(|schema| !schema.accepts(answer)) {
        return Err(missed(wanted, "answered what the rule does not want"));
    }
    for (value, pointer) in &wanted.equal {
        // What neither side has is nothing that they have in common.
        if value.is_null() || answer.pointer(pointer) != Some(value) {
            let what = format!("answered another value at `{pointer}` than the request holds");
            return Err(missed(wanted, &what));
        }
    }
    Ok(())
}

fn missed(wanted: &Precondition, what: &str) -> Fault {
    let path = wanted.path.split('?').next().unwrap_or_default();
    let reason = format!("the precondition of the rule does not hold: `GET {path}` {what}");
    Fault::refused(ReasonCode::ConditionNotMet, reason)
}

fn is_read(request: &HttpRequest) -> bool {
    let graphql = request
        .content
        .as_ref()
        .and_then(|content| content.graphql.as_ref());
    match graphql {
        Some(operation) => operation.kind != GraphqlKind::Mutation,
        None => matches!(request.method.as_str(), "GET" | "HEAD" | "OPTIONS"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn what_neither_side_has_is_not_equal() {
        let holds = |value: Value, answer: Value| {
            let wanted = Precondition {
                path: "/x".to_owned(),
                schema: None,
                equal: vec![(value, "/id".to_owned())],
            };
            hold(&wanted, &answer).is_ok()
        };
        assert!(holds(json!("a"), json!({"id": "a"})));
        assert!(!holds(json!("a"), json!({"id": "b"})));
        assert!(!holds(Value::Null, json!({"id": null})));
        assert!(!holds(Value::Null, json!({})));
    }
}
