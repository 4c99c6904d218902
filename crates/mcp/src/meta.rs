//! What stands in `_meta` of a message: of its way, not of its content. Which span it belongs to is
//! said there (`traceparent`, `tracestate`, `baggage`, SEP-414), by whoever sends it.

#[cfg(test)]
mod tests;

use ringfence_json::{Value, quoted};
use ringfence_model::TraceParent;

use crate::frame::Frame;

/// Takes out which span the sender says that a message belongs to, and puts this one in, if any.
pub fn set_trace(frame: &mut Frame, trace: Option<TraceParent>) {
    let is_trace = |name: &str| TRACE.iter().any(|it| name.eq_ignore_ascii_case(it));
    remove(frame, is_trace);
    let Some(trace) = trace else { return };
    if frame.method().is_none() {
        return;
    }
    let json = quoted(&trace.to_string());
    let params = frame.params().map(Value::at);
    let meta = frame.params().and_then(|it| it.get("_meta")).map(Value::at);
    let root = frame.root().at();
    let changes = frame.changes();
    let member = format!("{{{}:{json}}}", quoted(TRACEPARENT));
    match (meta, params) {
        (Some(meta), _) => changes.add(meta, TRACEPARENT, &json),
        (None, Some(params)) => changes.add(params, "_meta", &member),
        (None, None) => changes.add(root, "params", &format!("{{\"_meta\":{member}}}")),
    }
}

/// Takes out what the protocol itself does not name.
pub fn keep_known(frame: &mut Frame) {
    remove(frame, |name| !is_known(name));
}

fn is_known(name: &str) -> bool {
    name == "progressToken" || name == TRACEPARENT || name.starts_with("io.modelcontextprotocol/")
}

fn remove(frame: &mut Frame, is_to_go: impl Fn(&str) -> bool) {
    let around = frame.params().or_else(|| frame.result());
    let meta = around.and_then(|it| it.get("_meta"));
    let members = meta.into_iter().flat_map(|it| it.members());
    let gone: Vec<u32> = members
        .filter(|(key, _)| key.text().is_some_and(|name| is_to_go(&name)))
        .map(|(key, _)| key.at())
        .collect();
    let changes = frame.changes();
    gone.into_iter().for_each(|key| changes.remove(key));
}

const TRACEPARENT: &str = "traceparent";
const TRACE: [&str; 3] = [TRACEPARENT, "tracestate", "baggage"];
