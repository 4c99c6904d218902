//! A message of an agent in the terms of policy, and its agreement with the headers of HTTP that
//! other gateways decide on (2026-07-28, transports). What the message says counts; headers that say
//! something else are refused, and those that go on are written from the message.

#[cfg(test)]
mod tests;

use std::borrow::Cow;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ringfence_json::{Kind, Misread, Object, Spelling, Value};
use ringfence_model::mcp::McpVerb;

use crate::frame::{Body, Frame, code};
use crate::limits::{INPUTS, NAME_OCTETS, SUBSCRIPTIONS, URI_OCTETS};
use crate::method::{self, Known};
use crate::version::{Era, Version};

/// What a message asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Asked {
    /// The method. None for an answer.
    pub method: Option<&'static Known>,
    /// What is asked.
    pub verb: McpVerb,
    /// What it is about; more than one where it is about several resources.
    pub targets: Vec<String>,
    /// The span that the client says it belongs to.
    pub trace: Option<String>,
}

/// Why a message is not understood.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{why}")]
pub struct AskError {
    /// The code of JSON-RPC for it.
    pub code: i64,
    /// In words.
    pub why: String,
}

impl AskError {
    fn invalid(why: impl Into<String>) -> Self {
        Self {
            code: code::INVALID_PARAMS,
            why: why.into(),
        }
    }
}

impl From<Misread> for AskError {
    fn from(misread: Misread) -> Self {
        Self::invalid(format!("a parameter {}", misread.what))
    }
}

/// The members of `_meta` that a stateless request has.
const VERSION_KEY: &str = "io.modelcontextprotocol/protocolVersion";
const CAPABILITIES_KEY: &str = "io.modelcontextprotocol/clientCapabilities";

/// What a message of an agent asks for.
///
/// # Errors
/// Where the method is not known, or what it is about is not said as it has to be.
pub fn of_client(frame: &Frame, era: Era) -> Result<Asked, AskError> {
    let Some(method) = frame.method() else {
        return Ok(Asked {
            method: None,
            verb: McpVerb::Talk,
            targets: Vec::new(),
            trace: None,
        });
    };
    let known = method::of_client(method);
    let known = known.filter(|it| it.era.is_none_or(|of| of == era));
    read(frame, method, known)
}

/// What a message of a server asks for.
///
/// # Errors
/// As [`of_client`].
pub fn of_server(frame: &Frame) -> Result<Asked, AskError> {
    let method = frame.method().unwrap_or_default();
    read(frame, method, method::of_server(method))
}

fn read(frame: &Frame, named: &str, known: Option<&'static Known>) -> Result<Asked, AskError> {
    let is_request = matches!(frame.body(), Body::Request { .. });
    let known = known.filter(|it| it.is_request == is_request);
    let Some(known) = known else {
        return Err(AskError {
            code: code::METHOD_NOT_FOUND,
            why: format!("Method not found: {}", plain(named)),
        });
    };
    let params = frame.params();
    let params = params.map(|it| it.object(Spelling::Exact)).transpose()?;
    let targets = params.map_or_else(|| no_target(known), |params| targets(known, params))?;
    if let Some(params) = params {
        arguments(known, params)?;
    }
    let meta = params.map(|it| it.object("_meta")).transpose()?.flatten();
    let trace = meta.map(|meta| meta.text("traceparent")).transpose()?;
    Ok(Asked {
        method: Some(known),
        verb: known.verb,
        targets,
        trace: trace.flatten().map(Cow::into_owned),
    })
}

fn no_target(known: &Known) -> Result<Vec<String>, AskError> {
    match known.about {
        Some(member) => Err(AskError::invalid(format!(
            "{} needs the parameter `{member}`",
            known.name
        ))),
        None => Ok(Vec::new()),
    }
}

fn targets(known: &Known, params: Object<'_>) -> Result<Vec<String>, AskError> {
    if let Some(member) = known.about {
        let target = params.text(member)?;
        let target = target.ok_or_else(|| {
            AskError::invalid(format!("{} needs the parameter `{member}`", known.name))
        })?;
        return Ok(vec![bounded(member, target)?]);
    }
    match (known.verb, known.name) {
        (McpVerb::Complete, _) => completed(params).map(|it| vec![it]),
        (McpVerb::Listen, _) => subscribed(params),
        (McpVerb::Elicit, _) => elicited(params),
        _ => Ok(Vec::new()),
    }
}

/// The arguments of a call are an object, or not there.
fn arguments(known: &Known, params: Object<'_>) -> Result<(), AskError> {
    if !matches!(known.verb, McpVerb::CallTool | McpVerb::GetPrompt) {
        return Ok(());
    }
    match params.member("arguments")? {
        Some((_, value)) if value.kind() != Kind::Object => {
            Err(AskError::invalid("`arguments` is no object"))
        }
        _ => Ok(()),
    }
}

/// `prompt NAME` or `resource URI`.
fn completed(params: Object<'_>) -> Result<String, AskError> {
    let of = params.object("ref")?;
    let of =
        of.ok_or_else(|| AskError::invalid("completion/complete needs the parameter `ref`"))?;
    let (kind, member) = match of.text("type")?.as_deref() {
        Some("ref/prompt") => ("prompt", "name"),
        Some("ref/resource") => ("resource", "uri"),
        _ => {
            return Err(AskError::invalid(
                "the `type` of `ref` is `ref/prompt` or `ref/resource`",
            ));
        }
    };
    let about = of.text(member)?;
    let about = about.ok_or_else(|| AskError::invalid(format!("`ref` needs `{member}`")))?;
    Ok(format!("{kind} {}", bounded(member, about)?))
}

/// The resources whose changes are told of.
fn subscribed(params: Object<'_>) -> Result<Vec<String>, AskError> {
    let Some(wanted) = params.object("notifications")? else {
        return Ok(Vec::new());
    };
    let mut uris = Vec::new();
    for uri in wanted.elements("resourceSubscriptions")? {
        let text = uri.text().filter(|_| uri.kind() == Kind::Text);
        let text = text.ok_or_else(|| AskError::invalid("a resource is known by its URI"))?;
        uris.push(bounded("uri", text)?);
        if uris.len() > SUBSCRIPTIONS {
            return Err(AskError::invalid("these are too many resources"));
        }
    }
    Ok(uris)
}

/// Whether a question to the agent's model wants what the agent has from other servers.
#[must_use]
pub fn wants_others(params: Option<Value<'_>>) -> bool {
    let wants = |params: Value<'_>| {
        let params = params.object(Spelling::Exact)?;
        let context = params.get("includeContext")?;
        Ok::<_, Misread>(context.is_some_and(|it| !it.is_text("none") && !it.is_text("thisServer")))
    };
    // What some readers take for it counts as well.
    params.is_some_and(|params| wants(params).unwrap_or(true))
}

/// Where a person is sent; nowhere for a form.
fn elicited(params: Object<'_>) -> Result<Vec<String>, AskError> {
    match params.text("mode")?.as_deref() {
        None | Some("form") => match params.get("url")? {
            None => Ok(Vec::new()),
            Some(_) => Err(AskError::invalid("a form has no `url`")),
        },
        Some("url") => {
            let url = params.text("url")?;
            let url = url.ok_or_else(|| AskError::invalid("the mode `url` needs a `url`"))?;
            Ok(vec![bounded("url", url)?])
        }
        Some(_) => Err(AskError::invalid("the `mode` is `form` or `url`")),
    }
}

/// A name or URI that can be shown, and is the same to every reader.
fn bounded(member: &str, text: Cow<'_, str>) -> Result<String, AskError> {
    let is_uri = member == "uri" || member == "url";
    let most = if is_uri { URI_OCTETS } else { NAME_OCTETS };
    let is_odd = |c: char| c.is_control() || is_hidden(c);
    if text.is_empty() || text.len() > most || text.contains(is_odd) {
        return Err(AskError::invalid(format!(
            "`{member}` is 1 to {most} octets without characters that are not seen"
        )));
    }
    // A person is sent to a page of a host that a rule names, whatever the rest of its address says.
    let is_plain = match member {
        "uri" => is_plain_uri(&text),
        "url" => !text.contains(['\\', ' ']),
        _ => true,
    };
    if !is_plain {
        return Err(AskError::invalid(
            "a URI has no dot segments, no empty ones, and nothing encoded here that needs no encoding: two readers could take it for two",
        ));
    }
    Ok(text.into_owned())
}

/// A URI that is no other one to a reader that normalises it.
fn is_plain_uri(uri: &str) -> bool {
    let lower = uri.to_ascii_lowercase();
    let has_encoded = ["%2e", "%2f", "%5c", "%25", "%00"]
        .iter()
        .any(|it| lower.contains(it));
    let path = uri.split(['?', '#']).next().unwrap_or_default();
    let has_dots = path
        .split(['/', '\\'])
        .any(|part| part == "." || part == "..");
    // Behind the authority, which may be empty, every segment but the last has a name.
    let behind = path.split_once("://").map_or(path, |(_, rest)| rest);
    let is_empty = behind.contains("//");
    !has_encoded && !has_dots && !is_empty && !encodes_plain(uri) && !uri.contains(['\\', ' '])
}

/// Whether something is encoded that is the same without (RFC 3986, section 6.2.2.2), or is not
/// encoded at all.
fn encodes_plain(uri: &str) -> bool {
    uri.split('%').skip(1).any(|part| {
        let digits = part
            .get(..2)
            .filter(|it| it.bytes().all(|b| b.is_ascii_hexdigit()));
        let code = digits.and_then(|digits| u8::from_str_radix(digits, 16).ok());
        code.is_none_or(|code| code.is_ascii_alphanumeric() || b"-._~".contains(&code))
    })
}

/// Characters that a person does not see: of no width, of direction, tags, variations.
pub(crate) const fn is_hidden(c: char) -> bool {
    matches!(c,
        '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}'
        | '\u{180b}'..='\u{180f}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
        | '\u{2060}'..='\u{206f}' | '\u{3164}' | '\u{fe00}'..='\u{fe0f}' | '\u{feff}' | '\u{ffa0}'
        | '\u{fff0}'..='\u{fffb}' | '\u{1bca0}'..='\u{1bca3}' | '\u{1d173}'..='\u{1d17a}'
        | '\u{e0000}'..='\u{e0fff}')
}

/// What can be shown of a text of the wire.
pub(crate) fn plain(text: &str) -> String {
    let is_shown = |c: &char| !c.is_control() && !is_hidden(*c);
    text.chars().filter(is_shown).take(NAME_OCTETS).collect()
}

/// The headers of a request that repeat what its message says.
#[derive(Debug, Clone, Copy, Default)]
pub struct Headers<'a> {
    /// `MCP-Protocol-Version`, as often as it is there.
    pub versions: &'a [&'a str],
    /// `Mcp-Method`.
    pub methods: &'a [&'a str],
    /// `Mcp-Name`.
    pub names: &'a [&'a str],
}

/// The version that a message is of. `session` is that of the session that it belongs to.
///
/// # Errors
/// Where headers and message do not agree, or the version is not known.
pub fn version(
    frame: &Frame,
    headers: Headers<'_>,
    session: Option<Version>,
) -> Result<Version, AskError> {
    let said = only("MCP-Protocol-Version", headers.versions)?;
    let said = said.map(known_version).transpose()?;
    let inside = inside(frame)?;
    let version = match (said, &inside) {
        (Some(said), _) => said,
        (None, Some(inside)) if known_version(inside)?.era() == Era::Stateless => {
            return Err(mismatch("MCP-Protocol-Version"));
        }
        (None, _) => session.unwrap_or(Version::UNSAID),
    };
    if version.era() == Era::Sessions {
        if inside.is_some_and(|it| it == Version::LATEST.as_str()) {
            return Err(mismatch("MCP-Protocol-Version"));
        }
        return match session {
            Some(of_session) if said.is_some_and(|said| said != of_session) => Err(AskError {
                code: code::INVALID_REQUEST,
                why: format!("the session speaks {of_session}, not {version}"),
            }),
            _ => Ok(version),
        };
    }
    agrees(frame, headers, version, inside.as_deref())?;
    Ok(version)
}

/// A stateless request says everything twice, and the same.
fn agrees(
    frame: &Frame,
    headers: Headers<'_>,
    version: Version,
    inside: Option<&str>,
) -> Result<(), AskError> {
    let is_request = matches!(frame.body(), Body::Request { .. });
    if is_request {
        let Some(inside) = inside else {
            return Err(AskError::invalid(format!(
                "params._meta needs {VERSION_KEY} and {CAPABILITIES_KEY}"
            )));
        };
        if inside != version.as_str() {
            return Err(mismatch("MCP-Protocol-Version"));
        }
    } else if inside.is_some_and(|it| it != version.as_str()) {
        return Err(mismatch("MCP-Protocol-Version"));
    }
    let method = only("Mcp-Method", headers.methods)?;
    if method.is_some() != frame.method().is_some() || method != frame.method() {
        return Err(mismatch("Mcp-Method"));
    }
    let named = frame
        .method()
        .and_then(method::of_client)
        .and_then(mirrored);
    let name = named.and_then(|member| frame.params()?.get(member)?.text());
    let header = only("Mcp-Name", headers.names)?.map(decoded).transpose()?;
    match (name, header) {
        (Some(name), Some(header)) if *name == *header => Ok(()),
        (None, None) => Ok(()),
        _ => Err(mismatch("Mcp-Name")),
    }
}

/// The parameter that `Mcp-Name` repeats.
fn mirrored(known: &Known) -> Option<&'static str> {
    match known.name {
        "tools/call" | "prompts/get" => Some("name"),
        "resources/read" => Some("uri"),
        _ => None,
    }
}

/// The version that the message itself says.
fn inside(frame: &Frame) -> Result<Option<String>, AskError> {
    let meta = frame.params().and_then(|it| it.get("_meta"));
    let Some(meta) = meta else { return Ok(None) };
    let meta = meta.object(Spelling::Exact)?;
    let version = meta.text(VERSION_KEY)?;
    Ok(version.map(Cow::into_owned))
}

fn known_version(text: &str) -> Result<Version, AskError> {
    Version::read(text).ok_or_else(|| AskError {
        code: code::UNSUPPORTED_VERSION,
        why: format!("Unsupported protocol version: {}", plain(text)),
    })
}

fn only<'a>(name: &str, values: &[&'a str]) -> Result<Option<&'a str>, AskError> {
    match values {
        [] => Ok(None),
        [value] => Ok(Some(value)),
        _ => Err(AskError {
            code: code::HEADER_MISMATCH,
            why: format!("the header {name} is there more than once"),
        }),
    }
}

fn mismatch(header: &str) -> AskError {
    AskError {
        code: code::HEADER_MISMATCH,
        why: format!("the header {header} does not say what the message says"),
    }
}

/// The value of a header, which has another form where it is not plain.
fn decoded(value: &str) -> Result<Cow<'_, str>, AskError> {
    let Some(encoded) = value
        .strip_prefix("=?base64?")
        .and_then(|it| it.strip_suffix("?="))
    else {
        return Ok(Cow::Borrowed(value));
    };
    let octets = STANDARD.decode(encoded).ok();
    let text = octets.and_then(|octets| String::from_utf8(octets).ok());
    text.map(Cow::Owned).ok_or_else(|| mismatch("Mcp-Name"))
}

/// A value as a header has it.
fn encoded(value: &str) -> String {
    let is_plain = |b: u8| (0x20..=0x7e).contains(&b);
    let is_trimmed = value.trim_matches([' ', '\t']) == value;
    if value.bytes().all(is_plain) && is_trimmed && !value.starts_with("=?base64?") {
        return value.to_owned();
    }
    format!("=?base64?{}?=", STANDARD.encode(value))
}

/// The headers that a message goes on with, written from what it says.
#[must_use]
pub fn headers(frame: &Frame, version: Option<Version>) -> Vec<(&'static str, String)> {
    let Some(version) = version else {
        return Vec::new();
    };
    let mut headers = vec![("mcp-protocol-version", version.to_string())];
    // What is no method of the protocol does not go on.
    let known = frame.method().and_then(method::of_client);
    if let Some(known) = known.filter(|_| version.era() == Era::Stateless) {
        headers.push(("mcp-method", known.name.to_owned()));
        let name = mirrored(known).and_then(|member| frame.params()?.get(member)?.text());
        if let Some(name) = name {
            headers.push(("mcp-name", encoded(&name)));
        }
    }
    headers
}

/// What a server asks for within a result (2026-07-28): each is decided on as if it came alone.
///
/// # Errors
/// Where it is not asked as it has to be.
pub fn inputs(result: Value<'_>) -> Result<Vec<(u32, Asked)>, AskError> {
    let Some(requests) = result.get("inputRequests") else {
        return Ok(Vec::new());
    };
    if requests.kind() != Kind::Object {
        return Err(AskError::invalid("`inputRequests` is no object"));
    }
    let mut inputs = Vec::new();
    for (_, request) in requests.members() {
        if inputs.len() >= INPUTS {
            return Err(AskError::invalid("the server asks for too much at once"));
        }
        let object = request.object(Spelling::Exact)?;
        let method = object.text("method")?.unwrap_or_default();
        let known = method::of_server(&method).filter(|it| it.verb.is_of_server());
        let known = known.ok_or_else(|| AskError {
            code: code::METHOD_NOT_FOUND,
            why: format!("the server asks for {}", plain(&method)),
        })?;
        let params = object.get("params")?;
        if known.verb == McpVerb::Sample && wants_others(params) {
            return Err(AskError::invalid(
                "the server asks for what the agent has from other servers",
            ));
        }
        let targets = match object.object("params")? {
            Some(params) => targets(known, params)?,
            None => Vec::new(),
        };
        let asked = Asked {
            method: Some(known),
            verb: known.verb,
            targets,
            trace: None,
        };
        inputs.push((request.at(), asked));
    }
    Ok(inputs)
}
