//! A description of an API (OpenAPI 3.0 and 3.1) as tools: one operation, one tool. It is read from
//! the file alone; what it refers to elsewhere is refused, never fetched.

mod argument;
mod convert;
mod name;
mod operation;

use std::cell::Cell;
use std::collections::BTreeSet;

use serde_json::Value;

use crate::error::DefinitionError;
use crate::http::Base;
use crate::limits::{REFERENCE_HOPS, SCHEMAS_NODES, SCHEMAS_OCTETS, SPECIFICATION_OCTETS, TOOLS};
use crate::schema::resolve;
use crate::tool::{Catalogue, described};
use crate::yaml;

/// A description, as a value.
struct Api<'a> {
    root: &'a Value,
    base: Base,
    /// The path of the server, without a final slash.
    prefix: String,
    /// Whether schemas are those of OpenAPI 3.0.
    is_first: bool,
    /// Subschemas that have been converted.
    nodes: Cell<usize>,
}

/// Reads a description.
///
/// # Errors
/// What is wrong with it.
pub(crate) fn read(text: &str) -> Result<Catalogue, DefinitionError> {
    let root: Value = if text.trim_start().starts_with('{') && text.len() <= SPECIFICATION_OCTETS {
        serde_json::from_str(text).map_err(|error| {
            let line = u64::try_from(error.line()).unwrap_or_default();
            DefinitionError::new(error.to_string()).at(line)
        })?
    } else {
        yaml::read(text, SPECIFICATION_OCTETS)?
    };
    let api = Api::new(&root)?;
    let (tools, left_out) = api.tools()?;
    if tools.is_empty() {
        let why = left_out
            .first()
            .cloned()
            .unwrap_or_else(|| "it has no `paths`".to_owned());
        return Err(DefinitionError::new(format!(
            "no operation can be a tool: {why}"
        )));
    }
    let mut catalogue = Catalogue::of(tools)?;
    catalogue.left_out = left_out;
    let title = root.pointer("/info/title").and_then(Value::as_str);
    catalogue.instructions = title.map(described);
    Ok(catalogue)
}

impl<'a> Api<'a> {
    fn new(root: &'a Value) -> Result<Self, DefinitionError> {
        let version = root.get("openapi").and_then(Value::as_str);
        let is_first = match version {
            Some(version) if version.starts_with("3.0.") => true,
            Some(version) if version.starts_with("3.1.") => false,
            _ => {
                return Err(DefinitionError::new("this is no OpenAPI 3.0 or 3.1")
                    .help("the file has to say `openapi: 3.1.0` or the like; convert older ones (Swagger 2.0)"));
            }
        };
        let url = root.pointer("/servers/0/url").and_then(Value::as_str);
        let help = "`servers` has to begin with the URL of the API, as in `servers: [{url: \"https://api.acme.test/v1\"}]`";
        let missing = || DefinitionError::new("it does not say where the API is").help(help);
        let (base, prefix) = Base::read(url.ok_or_else(missing)?)
            .map_err(|fault| DefinitionError::new(fault).help(help))?;
        if prefix.contains(['{', '?']) {
            return Err(
                DefinitionError::new("the URL of the API has variables or a query").help(help),
            );
        }
        Ok(Self {
            root,
            base,
            prefix: prefix.trim_end_matches('/').to_owned(),
            is_first,
            nodes: Cell::new(0),
        })
    }

    fn tools(&self) -> Result<(Vec<crate::tool::Tool>, Vec<String>), DefinitionError> {
        let paths = self.root.get("paths").and_then(Value::as_object);
        let (mut tools, mut left_out) = (Vec::new(), Vec::new());
        let (mut names, mut octets) = (BTreeSet::new(), 0);
        for (path, item) in paths.into_iter().flatten() {
            let item = match self.followed(item) {
                Ok(item) => item,
                Err(fault) => {
                    left_out.push(format!("{path}: {fault}"));
                    continue;
                }
            };
            for (method, operation) in operation::of(item) {
                let read = operation::Reading {
                    api: self,
                    path,
                    item,
                    operation,
                };
                match read.tool(method, &mut names) {
                    Ok(tool) => {
                        octets += tool.schema_octets();
                        tools.push(tool);
                    }
                    Err(fault) => left_out.push(format!("{method} {path}: {fault}")),
                }
                self.bounded(tools.len() + left_out.len(), octets)?;
            }
        }
        Ok((tools, left_out))
    }

    fn bounded(&self, operations: usize, octets: usize) -> Result<(), DefinitionError> {
        let message = if operations > TOOLS {
            format!("it has more than {TOOLS} operations")
        } else if octets > SCHEMAS_OCTETS || self.nodes.get() > SCHEMAS_NODES {
            "the schemas of its operations are too large together".to_owned()
        } else {
            return Ok(());
        };
        Err(DefinitionError::new(message)
            .help("keep the operations that agents need, in a file of their own"))
    }

    /// Counts a subschema.
    fn count(&self) -> Result<(), String> {
        self.nodes.set(self.nodes.get() + 1);
        match self.nodes.get() {
            ..=SCHEMAS_NODES => Ok(()),
            _ => Err("the schemas of all operations are too large together".to_owned()),
        }
    }

    /// The value itself, where this is a reference to one in this file.
    fn followed(&self, value: &'a Value) -> Result<&'a Value, String> {
        let mut value = value;
        for _ in 0..REFERENCE_HOPS {
            let Some(reference) = value.get("$ref").and_then(Value::as_str) else {
                return Ok(value);
            };
            if !reference.starts_with('#') {
                return Err(elsewhere(reference));
            }
            value = resolve(self.root, reference)
                .ok_or_else(|| format!("`$ref: {reference}` leads nowhere"))?;
        }
        Err("references lead to each other".to_owned())
    }
}

fn elsewhere(reference: &str) -> String {
    let reference = crate::error::head(reference, 200);
    format!(
        "`$ref: {reference}` leads out of the file; nothing is fetched, so write it into `components`"
    )
}

#[cfg(test)]
mod tests;
