//! A tool: what a model is told of it, and what it does.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use serde_json::{Map, Value};

use crate::answer::{Found, Output, of_answer, of_command};
use crate::client::Client;
use crate::cloud::Cloud;
use crate::command::Command;
use crate::error::{CallError, DefinitionError, head};
use crate::http::Http;
use crate::limits::{DESCRIPTION_OCTETS, FAULT_OCTETS, NAME_OCTETS, SCHEMAS_OCTETS, TOOLS};
use crate::schema::Schema;
use crate::template::{Arguments, Form, Template};

/// A tool.
#[derive(Debug, Clone)]
pub struct Tool {
    pub(crate) name: String,
    pub(crate) title: Option<String>,
    pub(crate) description: String,
    pub(crate) arguments: Schema,
    pub(crate) result: Option<Schema>,
    pub(crate) is_read_only: bool,
    pub(crate) time: Duration,
    pub(crate) octets: usize,
    pub(crate) output: Output,
    pub(crate) how: How,
}

/// What a tool does.
#[derive(Debug, Clone)]
pub(crate) enum How {
    Command(Command),
    Http(Http),
    Cloud(Cloud),
}

/// The tools of one server.
#[derive(Debug, Clone, Default)]
pub struct Catalogue {
    pub(crate) tools: Vec<Tool>,
    /// What the server says of itself.
    pub(crate) instructions: Option<String>,
    /// What of a description of an API is no tool, and why.
    pub(crate) left_out: Vec<String>,
}

/// What a call is made with: the variables of the server, and its way out.
#[derive(Debug)]
pub(crate) struct Surroundings {
    pub(crate) environment: BTreeMap<String, String>,
    pub(crate) client: Client,
}

impl Surroundings {
    pub(crate) fn new(environment: BTreeMap<String, String>) -> Self {
        let authorities = environment.get("SSL_CERT_FILE").map(PathBuf::from);
        Self {
            environment,
            client: Client::new(authorities),
        }
    }
}

impl Catalogue {
    /// The tools, checked together.
    pub(crate) fn of(tools: Vec<Tool>) -> Result<Self, DefinitionError> {
        if tools.is_empty() {
            return Err(DefinitionError::new("there is no tool in it"));
        }
        if tools.len() > TOOLS {
            return Err(
                DefinitionError::new(format!("a server has at most {TOOLS} tools"))
                    .help("split the file into several servers"),
            );
        }
        let octets: usize = tools.iter().map(Tool::schema_octets).sum();
        if octets > SCHEMAS_OCTETS {
            let message =
                format!("the schemas of all tools have more than {SCHEMAS_OCTETS} octets");
            return Err(DefinitionError::new(message).help("split the file into several servers"));
        }
        Ok(Self {
            tools,
            ..Self::default()
        })
    }

    /// The tools.
    pub fn tools(&self) -> impl Iterator<Item = &Tool> {
        self.tools.iter()
    }

    /// What of a description of an API is no tool, and why.
    #[must_use]
    pub fn left_out(&self) -> &[String] {
        &self.left_out
    }

    pub(crate) fn named(&self, name: &str) -> Option<&Tool> {
        self.tools.iter().find(|tool| tool.name == name)
    }
}

impl Tool {
    /// Its name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Whether it only reads.
    #[must_use]
    pub const fn is_read_only(&self) -> bool {
        self.is_read_only
    }

    /// The start of its description.
    #[must_use]
    pub fn about(&self) -> &str {
        self.description.lines().next().unwrap_or_default()
    }

    pub(crate) fn schema_octets(&self) -> usize {
        self.arguments.octets() + self.result.as_ref().map_or(0, Schema::octets)
    }

    /// Calls it.
    ///
    /// # Errors
    /// Where it did not do what was asked.
    pub(crate) async fn call(
        &self,
        arguments: Map<String, Value>,
        surroundings: &Surroundings,
    ) -> Result<Found, CallError> {
        let arguments = self.accept(arguments)?;
        let limits = (self.time, self.octets);
        let found = match &self.how {
            How::Command(command) => {
                let line = command.line(&arguments)?;
                let ended = command.run(line, &surroundings.environment, limits).await;
                let ended = ended.map_err(|stopped| CallError::new(stopped.to_string()))?;
                of_command(&ended, self.output)?
            }
            How::Http(http) => {
                let request = http.request(&arguments, &surroundings.environment)?;
                let answer = surroundings.client.send(request, limits).await?;
                of_answer(&answer, self.output)?
            }
            How::Cloud(cloud) => cloud.call(&arguments, surroundings, limits).await?,
        };
        self.check(found)
    }

    /// The arguments that the schema takes, with the defaults that it names.
    fn accept(&self, mut arguments: Arguments) -> Result<Arguments, CallError> {
        let properties = properties(self.arguments.source());
        let unknown = arguments
            .keys()
            .find(|name| !properties.is_some_and(|it| it.contains_key(*name)));
        if let Some(name) = unknown {
            let name = head(name, NAME_OCTETS);
            return Err(CallError::new(format!(
                "there is no argument `{name}`; tools/list shows those that there are"
            )));
        }
        for (name, schema) in properties.into_iter().flatten() {
            if let Some(default) = schema.get("default") {
                arguments.entry(name).or_insert_with(|| default.clone());
            }
        }
        let value = Value::Object(arguments);
        if let Some(fault) = self.arguments.fault(&value) {
            return Err(CallError::new(head(&fault, FAULT_OCTETS).to_owned()));
        }
        match value {
            Value::Object(arguments) => Ok(arguments),
            _ => Ok(Arguments::new()),
        }
    }

    /// A result that is not what the schema of results says is no result.
    fn check(&self, found: Found) -> Result<Found, CallError> {
        let Some(schema) = &self.result else {
            return Ok(found);
        };
        let fault = match &found.value {
            Some(value) => schema.fault(value),
            None => Some("it is no JSON, or was cut".to_owned()),
        };
        match fault {
            None => Ok(found),
            Some(fault) => {
                let fault = head(&fault, FAULT_OCTETS);
                Err(CallError::new(format!(
                    "what came is not what `outputSchema` says: {fault}"
                )))
            }
        }
    }
}

/// The arguments that a schema names.
pub(crate) fn properties(schema: &Map<String, Value>) -> Option<&Map<String, Value>> {
    schema.get("properties").and_then(Value::as_object)
}

/// Each place names an argument that there is, and takes what may be absent only where it can be;
/// each argument has a place.
///
/// # Errors
/// What is wrong, in words.
pub(crate) fn agree<'a>(
    schema: &Map<String, Value>,
    templates: impl Iterator<Item = &'a Template>,
) -> Result<(), String> {
    let none = Map::new();
    let properties = properties(schema).unwrap_or(&none);
    let required = schema.get("required").and_then(Value::as_array);
    let is_required = |name: &str| {
        let named = required.into_iter().flatten().any(|it| it == name);
        named
            || properties
                .get(name)
                .is_some_and(|it| it.get("default").is_some())
    };
    let mut used = Vec::new();
    for place in templates.flat_map(Template::places) {
        let name = place.name.as_str();
        if !properties.contains_key(name) {
            return Err(format!(
                "`{{{name}}}` is no argument of this tool; those are in `arguments.properties`"
            ));
        }
        if place.form == Form::Required && !is_required(name) {
            return Err(format!(
                "the argument `{name}` may be absent: write `{{{name}?}}`, or name it in `arguments.required`, or give it a `default`"
            ));
        }
        used.push(name);
    }
    match properties
        .keys()
        .find(|name| !used.contains(&name.as_str()))
    {
        Some(name) => Err(format!(
            "the argument `{name}` is used nowhere: a model would think that it does something"
        )),
        None => Ok(()),
    }
}

/// A name that every client takes.
///
/// # Errors
/// What is wrong with it, in words.
pub(crate) fn check_name(name: &str) -> Result<(), String> {
    let is_known = |octet: u8| octet.is_ascii_alphanumeric() || matches!(octet, b'_' | b'-');
    if name.is_empty() || name.len() > NAME_OCTETS || !name.bytes().all(is_known) {
        let name = head(name, 2 * NAME_OCTETS);
        return Err(format!(
            "`{name}` is no name of a tool: 1 to {NAME_OCTETS} letters, digits, `_` and `-`"
        ));
    }
    Ok(())
}

/// A description, in its bound.
pub(crate) fn described(text: &str) -> String {
    head(text.trim(), DESCRIPTION_OCTETS).to_owned()
}
