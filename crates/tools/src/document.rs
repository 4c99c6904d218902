//! The file in which a person describes tools: `kind: Tools`.

mod tools;

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Map, Value};
use serde_saphyr::Spanned;

use crate::error::DefinitionError;
use crate::limits::DOCUMENT_OCTETS;
use crate::tool::Catalogue;
use crate::yaml;

/// Tools of one server, as a person describes them.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schemars(title = "Tools")]
struct Document {
    /// The version of the format.
    #[expect(dead_code, reason = "that it is there and right is all that matters")]
    api_version: Version,
    /// What the file is.
    #[expect(dead_code, reason = "that it is there and right is all that matters")]
    kind: Kind,
    /// What the tools are for together; the model reads it.
    description: Option<String>,
    /// The tools.
    #[schemars(with = "Vec<ToolDocument>")]
    tools: Vec<Spanned<ToolDocument>>,
}

#[derive(Debug, Deserialize, JsonSchema)]
enum Version {
    #[serde(rename = "ringfence/v1")]
    V1,
}

#[derive(Debug, Deserialize, JsonSchema)]
enum Kind {
    Tools,
}

/// One tool. It has either `command` or `http`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct ToolDocument {
    /// Its name: 1 to 64 letters, digits, `_` and `-`.
    name: String,
    /// Its name for people.
    title: Option<String>,
    /// What it does, for the model.
    description: String,
    /// The JSON Schema of its arguments (2020-12): an object's.
    #[schemars(with = "Option<Map<String, Value>>")]
    arguments: Option<Value>,
    /// The JSON Schema of what it answers, as an object.
    #[schemars(with = "Option<Map<String, Value>>")]
    output_schema: Option<Value>,
    /// Whether it changes nothing.
    #[serde(default)]
    read_only: bool,
    /// How what comes is understood; `json` answers a value, `lines` a list. Default `text`, and for `http` what the API says.
    output: Option<OutputWord>,
    /// How long it may take, in seconds. Default 60, at most 3600.
    timeout: Option<u64>,
    /// How much of what comes is kept, in octets. Default 1048576, at most 8388608.
    limit: Option<u64>,
    /// The program and its arguments. No shell reads them.
    command: Option<Vec<String>>,
    /// Whether a value alone may start with `-`, which many programs read as an option.
    #[serde(default)]
    allow_dash: bool,
    /// What the program reads.
    stdin: Option<String>,
    /// Variables that are passed on to the program, beside the usual ones.
    #[serde(default)]
    environment: Vec<String>,
    /// The request that is sent.
    http: Option<HttpDocument>,
}

/// A request.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct HttpDocument {
    /// The method.
    method: MethodWord,
    /// The URL, with places in its path.
    url: String,
    /// Parameters of the query.
    #[serde(default)]
    query: BTreeMap<String, String>,
    /// Headers.
    #[serde(default)]
    headers: BTreeMap<String, String>,
    /// The body as JSON; a text that is one place becomes the value itself.
    body: Option<Value>,
    /// The body as a form.
    form: Option<BTreeMap<String, String>>,
    /// The variable whose token is sent as `Authorization: Bearer`, for rules that want one.
    token: Option<String>,
}

#[derive(Debug, Clone, Copy, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
enum OutputWord {
    Text,
    Json,
    Lines,
}

#[derive(Debug, Clone, Copy, Deserialize, JsonSchema)]
#[serde(rename_all = "UPPERCASE")]
enum MethodWord {
    Get,
    Head,
    Post,
    Put,
    Patch,
    Delete,
}

/// Reads a file.
///
/// # Errors
/// What is wrong with it, and where.
pub(crate) fn read(text: &str) -> Result<Catalogue, DefinitionError> {
    let document: Document = yaml::read(text, DOCUMENT_OCTETS)?;
    let mut tools = Vec::with_capacity(document.tools.len());
    let mut names = std::collections::BTreeSet::new();
    for tool in &document.tools {
        let name = &tool.value.name;
        let line = tool.referenced.line();
        if !names.insert(name) {
            let message = format!("the tool `{name}` is there twice");
            return Err(DefinitionError::new(message).at(line));
        }
        let read = tools::tool(&tool.value);
        tools.push(read.map_err(|fault| {
            DefinitionError::new(fault)
                .of(&format!("the tool `{name}`"))
                .at(line)
        })?);
    }
    let mut catalogue = Catalogue::of(tools)?;
    catalogue.instructions = document.description;
    Ok(catalogue)
}

/// The JSON Schema of the file.
#[must_use]
pub fn json_schema() -> Value {
    let schema = schemars::schema_for!(Document);
    schema.to_value()
}

#[cfg(test)]
mod tests;
