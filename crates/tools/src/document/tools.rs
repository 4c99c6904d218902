//! From what a person wrote to a tool, or to what is wrong with it.

use std::time::Duration;

use http::Method;
use serde_json::{Value, json};

use super::{HttpDocument, MethodWord, OutputWord, ToolDocument};
use crate::answer::Output;
use crate::command::Command;
use crate::http::{Base, Body, Http, Node, Parameter, Style, header, segments};
use crate::limits::{
    DESCRIPTION_OCTETS, MOST_OUTPUT_OCTETS, MOST_TIMEOUT_SECONDS, OUTPUT_OCTETS, TIMEOUT_SECONDS,
};
use crate::schema::{Schema, Strictness};
use crate::template::{Form, Template};
use crate::tool::{How, Tool, agree, check_name};

/// Checks one tool.
///
/// # Errors
/// What is wrong with it, in words.
pub(super) fn tool(document: &ToolDocument) -> Result<Tool, String> {
    check_name(&document.name)?;
    if document.description.trim().is_empty() || document.description.len() > DESCRIPTION_OCTETS {
        return Err(format!(
            "`description` has 1 to {DESCRIPTION_OCTETS} octets"
        ));
    }
    let arguments = arguments(document.arguments.clone())?;
    let how = how(document)?;
    match &how {
        How::Command(command) => agree(arguments.source(), command.templates())?,
        How::Http(http) => agree(arguments.source(), http.templates().into_iter())?,
        How::Cloud(_) => {}
    }
    let output = match (document.output, &how) {
        (Some(OutputWord::Text), _) => Output::Text,
        (Some(OutputWord::Json), _) => Output::Json,
        (Some(OutputWord::Lines), _) => Output::Lines,
        (None, How::Http(_)) => Output::Declared,
        (None, _) if document.output_schema.is_some() => Output::Json,
        (None, _) => Output::Text,
    };
    Ok(Tool {
        name: document.name.clone(),
        title: document.title.clone(),
        description: document.description.trim().to_owned(),
        arguments,
        result: result(document.output_schema.clone(), output)?,
        is_read_only: document.read_only,
        time: time(document.timeout)?,
        octets: octets(document.limit)?,
        output,
        how,
    })
}

fn arguments(source: Option<Value>) -> Result<Schema, String> {
    let mut source = source.unwrap_or_else(|| json!({}));
    let fields = source
        .as_object_mut()
        .ok_or("`arguments` is a JSON Schema, written as fields")?;
    let kind = fields.entry("type").or_insert_with(|| json!("object"));
    if kind != "object" {
        return Err("`arguments` is the schema of an object: `type: object`".to_owned());
    }
    // What no place takes would be lost without a word.
    let others = fields
        .entry("additionalProperties")
        .or_insert_with(|| json!(false));
    if others != false {
        return Err(
            "`arguments` takes no `additionalProperties`: they would stand nowhere".to_owned(),
        );
    }
    Schema::new(source, Strictness::Own).map_err(|fault| format!("`arguments`: {fault}"))
}

fn result(source: Option<Value>, output: Output) -> Result<Option<Schema>, String> {
    let Some(source) = source else {
        return Ok(None);
    };
    if source.get("type") != Some(&json!("object")) {
        return Err("`outputSchema` is the schema of an object: `type: object`".to_owned());
    }
    if output == Output::Text {
        return Err("`outputSchema` needs `output: json` or `output: lines`".to_owned());
    }
    let schema = Schema::new(source, Strictness::Own);
    schema
        .map(Some)
        .map_err(|fault| format!("`outputSchema`: {fault}"))
}

fn time(seconds: Option<u64>) -> Result<Duration, String> {
    let seconds = seconds.unwrap_or(TIMEOUT_SECONDS);
    if !(1..=MOST_TIMEOUT_SECONDS).contains(&seconds) {
        return Err(format!("`timeout` is 1 to {MOST_TIMEOUT_SECONDS} seconds"));
    }
    Ok(Duration::from_secs(seconds))
}

fn octets(limit: Option<u64>) -> Result<usize, String> {
    let octets = limit.map_or(Ok(OUTPUT_OCTETS), usize::try_from);
    match octets {
        Ok(octets @ 1..=MOST_OUTPUT_OCTETS) => Ok(octets),
        _ => Err(format!("`limit` is 1 to {MOST_OUTPUT_OCTETS} octets")),
    }
}

fn how(document: &ToolDocument) -> Result<How, String> {
    match (&document.command, &document.http) {
        (Some(elements), None) => Ok(How::Command(Command::new(
            elements,
            document.stdin.as_deref(),
            document.allow_dash,
            document.environment.clone(),
        )?)),
        (None, Some(http)) => {
            if document.stdin.is_some() || document.allow_dash || !document.environment.is_empty() {
                return Err(
                    "`stdin`, `allowDash` and `environment` are about a `command`".to_owned(),
                );
            }
            Ok(How::Http(request(http)?))
        }
        _ => Err("a tool has exactly one of `command` and `http`".to_owned()),
    }
}

fn request(document: &HttpDocument) -> Result<Http, String> {
    let (base, rest) = Base::read(&document.url)?;
    if rest.contains('?') && !rest.contains("?}") {
        return Err("`url` has a query: write it under `query`".to_owned());
    }
    let path = segments(rest)?;
    if path
        .iter()
        .flat_map(Template::places)
        .any(|it| it.form == Form::Optional)
    {
        return Err("a place in the path cannot be absent".to_owned());
    }
    let query = document.query.iter().map(|(name, value)| {
        Ok(Parameter {
            name: name.clone(),
            value: Template::read(value)?,
            style: Style::Repeated,
        })
    });
    let headers = document
        .headers
        .iter()
        .map(|(name, value)| Ok((header(name)?, Template::read(value)?, Style::Joined(','))));
    Ok(Http {
        method: method(document.method),
        base,
        path,
        query: query.collect::<Result<_, String>>()?,
        headers: headers.collect::<Result<_, String>>()?,
        body: body(document)?,
        token: document.token.clone(),
    })
}

fn body(document: &HttpDocument) -> Result<Body, String> {
    if matches!(document.method, MethodWord::Get | MethodWord::Head)
        && (document.body.is_some() || document.form.is_some())
    {
        return Err("a GET has no body".to_owned());
    }
    match (&document.body, &document.form) {
        (None, None) => Ok(Body::None),
        (Some(value), None) => Ok(Body::Json(Node::read(value)?)),
        (None, Some(fields)) => {
            let fields = fields
                .iter()
                .map(|(name, value)| Ok((name.clone(), Template::read(value)?)));
            Ok(Body::Form(fields.collect::<Result<_, String>>()?))
        }
        (Some(_), Some(_)) => Err("a request has one of `body` and `form`".to_owned()),
    }
}

const fn method(word: MethodWord) -> Method {
    match word {
        MethodWord::Get => Method::GET,
        MethodWord::Head => Method::HEAD,
        MethodWord::Post => Method::POST,
        MethodWord::Put => Method::PUT,
        MethodWord::Patch => Method::PATCH,
        MethodWord::Delete => Method::DELETE,
    }
}
