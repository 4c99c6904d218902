//! One operation as a tool.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use http::Method;
use serde_json::Value;

use super::argument::Asked;
use super::{Api, name};
use crate::answer::Output;
use crate::http::{Body, Http};
use crate::limits::{OUTPUT_OCTETS, TIMEOUT_SECONDS};
use crate::schema::{Schema, Strictness};
use crate::template::{Form, Template};
use crate::tool::{How, Tool, described};

/// The operations of a path, with their methods.
pub(super) fn of(item: &Value) -> impl Iterator<Item = (&'static str, &Value)> {
    METHODS
        .iter()
        .filter_map(|(field, method)| Some((*method, item.get(field)?)))
}

/// An operation that is being read.
pub(super) struct Reading<'a> {
    pub(super) api: &'a Api<'a>,
    pub(super) path: &'a str,
    pub(super) item: &'a Value,
    pub(super) operation: &'a Value,
}

impl Reading<'_> {
    /// The tool.
    ///
    /// # Errors
    /// Why it is none.
    pub(super) fn tool(
        &self,
        method: &'static str,
        names: &mut BTreeSet<String>,
    ) -> Result<Tool, String> {
        if self.item.get("servers").is_some() || self.operation.get("servers").is_some() {
            return Err("it is at another place than the rest of the API".to_owned());
        }
        let (how, arguments) = self.http(method)?;
        let text = |field: &str| self.operation.get(field).and_then(Value::as_str);
        let about = [text("summary"), text("description")];
        let about: Vec<&str> = about
            .into_iter()
            .flatten()
            .filter(|it| !it.is_empty())
            .collect();
        let about = match about.as_slice() {
            [] => format!("{method} {}", self.path),
            some => some.join("\n\n"),
        };
        Ok(Tool {
            name: name::of_tool(text("operationId"), (method, self.path), names),
            title: None,
            description: described(&about),
            arguments,
            result: None,
            is_read_only: matches!(method, "GET" | "HEAD"),
            time: Duration::from_secs(TIMEOUT_SECONDS),
            octets: OUTPUT_OCTETS,
            output: Output::Declared,
            how: How::Http(how),
        })
    }

    fn http(&self, method: &'static str) -> Result<(Http, Schema), String> {
        let (http, mut asked) = self.asked(method, true)?;
        let schema = Schema::new(asked.schema()?, Strictness::Foreign);
        match schema {
            Ok(schema) => Ok((http, schema)),
            // One of a kind that is not supported here is the usual reason.
            Err(_) if asked.has_patterns() => {
                let (http, mut asked) = self.asked(method, false)?;
                Ok((http, Schema::new(asked.schema()?, Strictness::Foreign)?))
            }
            Err(fault) => Err(fault),
        }
    }

    fn asked(
        &self,
        method: &'static str,
        keeps_patterns: bool,
    ) -> Result<(Http, Asked<'_>), String> {
        let mut asked = Asked::new(self.api, keeps_patterns);
        asked.parameters([
            self.item.get("parameters"),
            self.operation.get("parameters"),
        ])?;
        let body = match method {
            "GET" | "HEAD" => Body::None,
            _ => asked.body(self.operation.get("requestBody"))?,
        };
        let http = Http {
            method: Method::from_bytes(method.as_bytes()).map_err(|it| it.to_string())?,
            base: self.api.base.clone(),
            path: segments(&format!("{}{}", self.api.prefix, self.path), &asked.path)?,
            query: std::mem::take(&mut asked.query),
            headers: std::mem::take(&mut asked.headers),
            body,
            token: None,
        };
        Ok((http, asked))
    }
}

/// The segments of a path, with the arguments that stand for its places.
fn segments(path: &str, arguments: &BTreeMap<String, String>) -> Result<Vec<Template>, String> {
    let path = path
        .strip_prefix('/')
        .ok_or("its path does not begin with `/`")?;
    if path.contains(['?', '#', '\\']) {
        return Err("its path has a query, a fragment or a backslash".to_owned());
    }
    let segments = path.split('/').map(|segment| {
        if matches!(segment, "." | "..") {
            return Err("its path has a segment `.` or `..`".to_owned());
        }
        let mut template = Template::default();
        let mut rest = segment;
        while let Some((before, from)) = rest.split_once('{') {
            let (name, after) = from.split_once('}').ok_or("its path has a brace alone")?;
            let argument = arguments
                .get(name)
                .ok_or_else(|| format!("`{{{name}}}` of its path is no parameter"))?;
            if !before.is_empty() {
                template = template.then(Template::literal(before));
            }
            template = template.then(Template::place(argument, Form::Required));
            rest = after;
        }
        if rest.contains('}') {
            return Err("its path has a brace alone".to_owned());
        }
        if !rest.is_empty() {
            template = template.then(Template::literal(rest));
        }
        Ok(template)
    });
    segments.collect()
}

const METHODS: [(&str, &str); 6] = [
    ("get", "GET"),
    ("head", "HEAD"),
    ("post", "POST"),
    ("put", "PUT"),
    ("patch", "PATCH"),
    ("delete", "DELETE"),
];
