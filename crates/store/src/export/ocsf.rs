//! OCSF 1.3.0 (<https://schema.ocsf.io/1.3.0/>): `connect` and `git` as Network Activity (4001),
//! `http` as HTTP Activity (4002), all with the Security Control profile. What OCSF has no name for is
//! under `unmapped`. Times are milliseconds since the Unix epoch.

use ringfence_model::{
    Action, Closing, Destination, Effect, Host, HttpRequest, Outcome, ReasonCode,
};
use serde_json::{Map, Value, json};

use crate::columns::{next_step, refusal};
use crate::events::StoredEvent;

/// The OCSF event of one action.
pub(super) fn value(stored: &StoredEvent) -> Value {
    let event = &stored.event;
    let closing = stored.closing.as_ref();
    let refusal = refusal(&event.decision, closing);
    let mut fields = Map::new();
    let mut put = |more: Value| {
        if let Value::Object(more) = more {
            fields.extend(more);
        }
    };
    put(class(&event.action, refusal, closing));
    put(verdict(refusal, closing));
    put(metadata(stored));
    put(json!({
        "time": event.time.as_millisecond(),
        "dst_endpoint": endpoint(event.action.destination()),
        "src_endpoint": { "name": event.agent, "uid": event.sandbox.to_string() },
        "connection_info": {
            "protocol_name": "tcp", "protocol_num": 6, "direction": "Outbound", "direction_id": 2,
        },
        "firewall_rule": {
            "uid": event.decision.rule,
            "name": event.decision.rule,
            "version": event.decision.generation.to_string(),
        },
        "message": event.decision.reason,
        "unmapped": {
            "workspace": event.workspace,
            "run": event.run.to_string(),
            "parent": event.parent.map(|parent| parent.to_string()),
            "code": refusal.unwrap_or(event.decision.code),
            "next_step": next_step(&event.decision, closing),
            "upstream": closing.and_then(|closing| closing.upstream.as_ref()),
            "git": git(&event.action),
        },
    }));
    if let Action::Http(request) = &event.action {
        put(http(request, closing));
    }
    if let Some(closing) = closing {
        put(ending(event.time.as_millisecond(), closing));
    }
    let mut value = Value::Object(fields);
    drop_nulls(&mut value);
    value
}

/// Class, category and activity.
fn class(action: &Action, refusal: Option<ReasonCode>, closing: Option<&Closing>) -> Value {
    let (class, class_name, (activity, activity_name)) = match action {
        Action::Connect(_) | Action::Git(_) | Action::Llm(_) | Action::Mcp(_) => {
            (4001, "Network Activity", connect_activity(refusal, closing))
        }
        Action::Http(request) => (4002, "HTTP Activity", http_activity(&request.method)),
    };
    json!({
        "category_uid": 4,
        "category_name": "Network Activity",
        "class_uid": class,
        "class_name": class_name,
        "activity_id": activity,
        "activity_name": activity_name,
        "type_uid": class * 100 + activity,
        "type_name": format!("{class_name}: {activity_name}"),
    })
}

const fn connect_activity(
    refusal: Option<ReasonCode>,
    closing: Option<&Closing>,
) -> (u32, &'static str) {
    match (refusal, closing) {
        (Some(_), _) => (5, "Refuse"),
        (None, None) => (1, "Open"),
        (None, Some(closing)) => match closing.outcome {
            Outcome::UpstreamFailed => (4, "Fail"),
            Outcome::Aborted | Outcome::TimedOut => (3, "Reset"),
            Outcome::Done | Outcome::Status(_) | Outcome::Refused(_) => (2, "Close"),
        },
    }
}

/// Methods are case-sensitive; what 1.3.0 does not list is "Other" under its own name.
fn http_activity(method: &str) -> (u32, &str) {
    match method {
        "CONNECT" => (1, "Connect"),
        "DELETE" => (2, "Delete"),
        "GET" => (3, "Get"),
        "HEAD" => (4, "Head"),
        "OPTIONS" => (5, "Options"),
        "POST" => (6, "Post"),
        "PUT" => (7, "Put"),
        "TRACE" => (8, "Trace"),
        other => (99, other),
    }
}

/// What Ringfence did, and how it ended.
fn verdict(refusal: Option<ReasonCode>, closing: Option<&Closing>) -> Value {
    let effect = refusal.map_or(Effect::Allow, |_| Effect::Deny);
    let (action, action_name, disposition, severity) = match effect {
        Effect::Allow => (1, "Allowed", "Allowed", (1, "Informational")),
        Effect::Deny => (2, "Denied", "Blocked", (2, "Low")),
    };
    let outcome = closing.map(|closing| closing.outcome);
    let (status, status_name) = match (effect, outcome) {
        (Effect::Allow, None | Some(Outcome::Done | Outcome::Status(_))) => (1, "Success"),
        _ => (2, "Failure"),
    };
    json!({
        "action_id": action,
        "action": action_name,
        "disposition_id": action,
        "disposition": disposition,
        "severity_id": severity.0,
        "severity": severity.1,
        "status_id": status,
        "status": status_name,
        "status_code": refusal,
        "status_detail": closing.and_then(|closing| closing.detail.as_deref()),
    })
}

fn metadata(stored: &StoredEvent) -> Value {
    json!({
        "metadata": {
            "version": "1.3.0",
            "product": {
                "name": "Ringfence",
                "vendor_name": "Ringfence",
                "version": env!("CARGO_PKG_VERSION"),
            },
            "profiles": ["security_control"],
            "uid": stored.event.id.to_string(),
            "correlation_uid": stored.event.run.to_string(),
            "sequence": stored.seq,
        },
    })
}

fn endpoint(destination: &Destination) -> Value {
    match &destination.host {
        Host::Name(name) => json!({ "hostname": name, "port": destination.port }),
        Host::Address(address) => json!({ "ip": address, "port": destination.port }),
    }
}

fn http(request: &HttpRequest, closing: Option<&Closing>) -> Value {
    let status = closing.and_then(|closing| match closing.outcome {
        Outcome::Status(code) => Some(json!({ "code": code })),
        _ => None,
    });
    let query = request.query.as_deref();
    let url = match query {
        Some(query) => format!("{}?{query}", target(request)),
        None => target(request),
    };
    json!({
        "http_request": {
            "http_method": request.method,
            "url": {
                "scheme": request.scheme.as_str(),
                "hostname": request.destination.host.to_string(),
                "port": request.destination.port,
                "path": request.path,
                "query_string": query,
                "url_string": url,
            },
        },
        "http_response": status,
    })
}

/// The repository, and what was done with it: OCSF has no class for it.
fn git(action: &Action) -> Value {
    let Action::Git(request) = action else {
        return Value::Null;
    };
    let mut value = json!(request.operation);
    if let Value::Object(fields) = &mut value {
        fields.insert("repo".to_owned(), json!(request.repo));
    }
    value
}

fn target(request: &HttpRequest) -> String {
    let scheme = request.scheme.as_str();
    format!("{scheme}://{}{}", request.destination, request.path)
}

fn ending(start: i64, closing: &Closing) -> Value {
    json!({
        "start_time": start,
        "end_time": closing.time.as_millisecond(),
        "duration": closing.duration_us / 1_000,
        "traffic": {
            "bytes_out": closing.sent,
            "bytes_in": closing.received,
            "bytes": closing.sent.saturating_add(closing.received),
        },
    })
}

/// An attribute without value is left out, and an object without attributes too.
fn drop_nulls(value: &mut Value) {
    if let Value::Object(fields) = value {
        fields.values_mut().for_each(drop_nulls);
        fields.retain(|_, field| {
            let empty = field.as_object().is_some_and(Map::is_empty);
            !field.is_null() && !empty
        });
    }
}
