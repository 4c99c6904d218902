//! The gateway's own server: it tells an agent why it was denied something, and puts what the agent
//! wants before a person. It allows nothing, and knows nothing of other sandboxes.
//!
//! Its messages are entered, read and decided on like any; only the answer is made here.

use http::header::{ALLOW, CACHE_CONTROL, CONTENT_TYPE, HeaderValue};
use http::{Response, StatusCode};
use ringfence_gateway::http::{ResponseBody, empty, full};
use ringfence_gateway::mcp::McpEntry;
use ringfence_gateway::{Denied, NotAsked};
use ringfence_json::Value as Json;
use ringfence_mcp::frame::{self, Body, Frame, code};
use ringfence_mcp::narrow::narrowed;
use ringfence_mcp::version::{Era, Version};
use ringfence_model::mcp::{McpServer, McpVerb};
use ringfence_model::{EventId, Outcome};
use serde_json::{Map, Value, json};

use super::entered::Entered;
use super::limits::DENIALS_SHOWN;
use super::sent::Sending;
use super::service::Client;

const WHY: &str = "ringfence_why_denied";
const ASK: &str = "ringfence_request_access";

/// An answer: a result, or an error by its code.
type Answer = Result<Map<String, Value>, (i64, String)>;

impl Client {
    /// Answers a message to the gateway's own server, which was decided on.
    pub(super) fn own(
        &self,
        server: &McpServer,
        entered: &Entered,
        sending: Sending,
    ) -> Response<ResponseBody> {
        let Some(frame) = &entered.frame else {
            sending.permit.finish(Outcome::Status(405));
            return not_here();
        };
        let Body::Request { id, .. } = frame.body() else {
            sending.permit.finish(Outcome::Status(202));
            return plain(StatusCode::ACCEPTED, empty());
        };
        let answer = match entered.asked.verb {
            McpVerb::Greet => Ok(greeting(frame, entered)),
            McpVerb::Talk => Ok(Map::new()),
            McpVerb::ListTools => Ok(self.tools(server)),
            McpVerb::CallTool => self.called(frame, entered),
            _ => Err((
                code::METHOD_NOT_FOUND,
                "this server has tools and nothing else: tools/list".to_owned(),
            )),
        };
        let octets = match answer {
            Ok(mut result) => {
                if entered.era() == Era::Stateless {
                    result.insert("resultType".to_owned(), json!("complete"));
                }
                let message = json!({"jsonrpc": "2.0", "id": id.to_json(), "result": result});
                message.to_string().into_bytes()
            }
            Err((code, why)) => frame::error(Some(id), code, &why, None),
        };
        sending.permit.finish(Outcome::Status(200));
        let mut response = plain(StatusCode::OK, full(octets));
        let kind = HeaderValue::from_static("application/json");
        response.headers_mut().insert(CONTENT_TYPE, kind);
        response
    }

    /// The tools that rules allow.
    fn tools(&self, server: &McpServer) -> Map<String, Value> {
        let view = self.gateway.mcp_view(&server.name);
        let mut tools = definitions();
        tools.retain(|tool| {
            let name = tool.get("name").and_then(Value::as_str);
            name.is_some_and(|name| view.shows(McpEntry::Tool(name)))
        });
        for tool in &mut tools {
            let name = tool.get("name").and_then(Value::as_str);
            let also = name.and_then(|name| view.narrowed(name));
            if let (Some(also), Some(schema)) = (also, tool.get("inputSchema")) {
                let schema = narrowed(schema, also);
                tool.insert("inputSchema".to_owned(), schema);
            }
        }
        Map::from_iter([
            ("tools".to_owned(), json!(tools)),
            ("ttlMs".to_owned(), json!(0)),
            ("cacheScope".to_owned(), json!("private")),
        ])
    }

    fn called(&self, frame: &Frame, entered: &Entered) -> Answer {
        let arguments = frame.params().and_then(|it| it.get("arguments"));
        let text = |name: &str| {
            let value = arguments.and_then(|it| it.get(name));
            value.map(|value| value.text().map(std::borrow::Cow::into_owned))
        };
        let event = match text("event") {
            None => None,
            Some(event) => {
                let event = event.and_then(|it| it.parse::<EventId>().ok());
                let why = "`event` is the id that a refusal of Ringfence's ends with";
                Some(event.ok_or_else(|| (code::INVALID_PARAMS, why.to_owned()))?)
            }
        };
        match entered.asked.targets.first().map(String::as_str) {
            Some(WHY) => Ok(self.why(event)),
            Some(ASK) => {
                let reason = text("reason").flatten().filter(|it| !it.trim().is_empty());
                let (Some(event), Some(reason)) = (event, reason) else {
                    let why = "`event` and `reason` are needed";
                    return Err((code::INVALID_PARAMS, why.to_owned()));
                };
                Ok(self.ask(event, &reason))
            }
            _ => Err((code::INVALID_PARAMS, "Unknown tool".to_owned())),
        }
    }

    fn why(&self, event: Option<EventId>) -> Map<String, Value> {
        let mut denied = self.gateway.denied(&self.session);
        if let Some(event) = event {
            denied.retain(|it| it.event == event);
        }
        denied.truncate(DENIALS_SHOWN);
        let said: Vec<String> = denied.iter().map(line).collect();
        if said.is_empty() {
            return said_as("nothing like it was denied to this agent lately", false);
        }
        said_as(&said.join("\n"), false)
    }

    fn ask(&self, event: EventId, reason: &str) -> Map<String, Value> {
        match self.gateway.ask_for(&self.session, (event, reason)) {
            Ok(proposal) => {
                let rule = proposal.rule.map(|it| format!(" The rule would be: {it}."));
                let said = format!(
                    "A person will see this in `ringfence proposals`.{} Nothing is allowed yet: go on with something else, or tell your user.",
                    rule.unwrap_or_default()
                );
                said_as(&said, false)
            }
            Err(why) => said_as(&format!("{why}{}", next(&why)), true),
        }
    }
}

const fn next(why: &NotAsked) -> &'static str {
    match why {
        NotAsked::Hopeless(_) => ". Next step: do without it, or tell your user",
        NotAsked::Again | NotAsked::TooMany => ". Next step: tell your user: ringfence proposals",
        NotAsked::Unknown | NotAsked::TooLong | NotAsked::Unrecorded => "",
    }
}

/// One denial, in one line.
fn line(denied: &Denied) -> String {
    let decision = &denied.decision;
    let rule = decision.rule.as_ref().map(|it| format!(" (rule {it})"));
    let next = decision.next_step.as_deref();
    format!(
        "{} {}: {}, {}{}. Next step: {}",
        denied.event,
        denied.time.strftime("%H:%M:%S"),
        denied.tried,
        decision.reason,
        rule.unwrap_or_default(),
        next.unwrap_or("none; do without it, or tell your user")
    )
}

fn said_as(text: &str, is_error: bool) -> Map<String, Value> {
    Map::from_iter([
        (
            "content".to_owned(),
            json!([{"type": "text", "text": text}]),
        ),
        ("isError".to_owned(), json!(is_error)),
    ])
}

fn greeting(frame: &Frame, entered: &Entered) -> Map<String, Value> {
    let identity = json!({"name": "ringfence", "version": env!("CARGO_PKG_VERSION")});
    let mut result = Map::from_iter([
        ("capabilities".to_owned(), json!({"tools": {}})),
        ("instructions".to_owned(), json!(INSTRUCTIONS)),
    ]);
    if entered.era() == Era::Stateless {
        let versions = json!([Version::LATEST.as_str()]);
        result.insert("supportedVersions".to_owned(), versions);
        result.insert(
            "_meta".to_owned(),
            json!({"io.modelcontextprotocol/serverInfo": identity}),
        );
        result.insert("ttlMs".to_owned(), json!(0));
        result.insert("cacheScope".to_owned(), json!("private"));
        return result;
    }
    let asked = frame.params().and_then(|it| it.get("protocolVersion"));
    let asked = asked.and_then(Json::text);
    let asked = asked.and_then(|it| Version::read(&it));
    let agreed = asked.filter(|it| it.era() == Era::Sessions);
    let agreed = agreed.map_or(NEWEST_OF_SESSIONS, Version::as_str);
    result.insert("protocolVersion".to_owned(), json!(agreed));
    result.insert("serverInfo".to_owned(), identity);
    result
}

const NEWEST_OF_SESSIONS: &str = "2025-11-25";

const INSTRUCTIONS: &str = "What this agent may reach is decided by rules outside of its sandbox. Ask why something was denied, and ask a person for it once where the task needs it.";

fn definitions() -> Vec<Map<String, Value>> {
    let event =
        json!({"type": "string", "description": "The id that a refusal of Ringfence's ends with"});
    let tool = |name: &str, what: &str, properties: Value, required: Value, reads: bool| {
        Map::from_iter([
            ("name".to_owned(), json!(name)),
            ("description".to_owned(), json!(what)),
            (
                "inputSchema".to_owned(),
                json!({"type": "object", "properties": properties, "required": required, "additionalProperties": false}),
            ),
            (
                "annotations".to_owned(),
                json!({"readOnlyHint": reads, "openWorldHint": false}),
            ),
        ])
    };
    let reason = json!({"type": "string", "description": "Why the task needs it, in a sentence for a person"});
    vec![
        tool(
            ASK,
            "Puts what was denied before a person, with the narrowest rule that would allow it. It allows nothing by itself, and the person may not answer.",
            json!({"event": event, "reason": reason}),
            json!(["event", "reason"]),
            false,
        ),
        tool(
            WHY,
            "Tells what was denied to this agent: what it tried, which rule decided, and what the next step is. Without an event, the latest denials.",
            json!({"event": event}),
            json!([]),
            true,
        ),
    ]
}

/// There is no stream of what this server says by itself, and no session to end.
fn not_here() -> Response<ResponseBody> {
    let mut response = plain(StatusCode::METHOD_NOT_ALLOWED, empty());
    let allowed = HeaderValue::from_static("POST");
    response.headers_mut().insert(ALLOW, allowed);
    response
}

fn plain(status: StatusCode, body: ResponseBody) -> Response<ResponseBody> {
    let mut response = Response::new(body);
    *response.status_mut() = status;
    let no_store = HeaderValue::from_static("no-store");
    response.headers_mut().insert(CACHE_CONTROL, no_store);
    response
}
