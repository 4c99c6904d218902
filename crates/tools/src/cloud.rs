//! Tools for clouds that say who an agent works as and what there is, and nothing else. They hold
//! no credential and never ask for a token: they send requests, and the gateway of the sandbox
//! signs or authenticates those that its rules allow. What comes back is a few plain fields.

mod aws;
mod azure;
mod gcp;

use std::collections::BTreeMap;
use std::time::Duration;

use bytes::Bytes;
use http::header::{ACCEPT, ACCEPT_ENCODING, AUTHORIZATION, HOST};
use http::{HeaderMap, HeaderValue, Method};
use serde_json::{Map, Value, json};

use crate::answer::{Found, Output};
use crate::client::{Answer, Request};
use crate::error::{CallError, DefinitionError, head};
use crate::http::Base;
use crate::limits::{OUTPUT_OCTETS, TIMEOUT_SECONDS};
use crate::schema::{Schema, Strictness};
use crate::template::Arguments;
use crate::tool::{Catalogue, How, Surroundings, Tool};

/// What is asked of which cloud.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Cloud {
    AzureWhoami,
    AzureSubscriptions,
    AzureResources,
    AwsWhoami,
    GcpWhoami,
}

/// The tools.
pub(crate) fn catalogue() -> Result<Catalogue, DefinitionError> {
    let tools = [
        tool(
            Cloud::AzureWhoami,
            (
                "azure_whoami",
                "Which Azure directories and subscriptions this agent's principal reaches. Shows no token.",
            ),
            json!({}),
        ),
        tool(
            Cloud::AzureSubscriptions,
            (
                "azure_list_subscriptions",
                "The Azure subscriptions that this agent's principal can read: id, name, state.",
            ),
            json!({}),
        ),
        tool(
            Cloud::AzureResources,
            (
                "azure_list_resources",
                "The resources of an Azure subscription or of one of its resource groups: id, name, type, location.",
            ),
            azure::resource_arguments(),
        ),
        tool(
            Cloud::AwsWhoami,
            (
                "aws_whoami",
                "Which AWS account and principal this agent works as (STS GetCallerIdentity).",
            ),
            json!({ "properties": { "region": {
                "type": "string", "pattern": aws::REGION, "default": "us-east-1",
                "description": "The region whose STS is asked: that of the credential.",
            } } }),
        ),
        tool(
            Cloud::GcpWhoami,
            (
                "gcp_whoami",
                "Which Google Cloud account this agent works as, and the projects that it can see.",
            ),
            json!({}),
        ),
    ];
    let tools: Result<Vec<Tool>, String> = tools.into_iter().collect();
    Catalogue::of(tools.map_err(DefinitionError::new)?)
}

fn tool(cloud: Cloud, (name, about): (&str, &str), mut arguments: Value) -> Result<Tool, String> {
    if let Some(fields) = arguments.as_object_mut() {
        fields.insert("type".to_owned(), json!("object"));
        fields.insert("additionalProperties".to_owned(), json!(false));
    }
    Ok(Tool {
        name: name.to_owned(),
        title: None,
        description: about.to_owned(),
        arguments: Schema::new(arguments, Strictness::Own)?,
        result: None,
        is_read_only: true,
        time: Duration::from_secs(TIMEOUT_SECONDS),
        octets: OUTPUT_OCTETS,
        output: Output::Json,
        how: How::Cloud(cloud),
    })
}

impl Cloud {
    pub(crate) async fn call(
        self,
        arguments: &Arguments,
        surroundings: &Surroundings,
        limits: (Duration, usize),
    ) -> Result<Found, CallError> {
        let asking = Asking {
            surroundings,
            limits,
        };
        let work = async {
            match self {
                Self::AzureWhoami => azure::whoami(&asking).await,
                Self::AzureSubscriptions => azure::subscriptions(&asking).await,
                Self::AzureResources => azure::resources(&asking, arguments).await,
                Self::AwsWhoami => aws::whoami(&asking, arguments).await,
                Self::GcpWhoami => gcp::whoami(&asking).await,
            }
        };
        match tokio::time::timeout(limits.0, work).await {
            Ok(found) => found.map(Found::of),
            Err(_) => Err(CallError::new("the cloud did not answer in time")),
        }
    }
}

/// How questions are put to a cloud.
struct Asking<'a> {
    surroundings: &'a Surroundings,
    limits: (Duration, usize),
}

impl Asking<'_> {
    /// Reads a JSON document. `variable` may hold the token that stands for the credential.
    async fn get(&self, host: &str, target: String, variable: &str) -> Result<Value, CallError> {
        let mut headers = HeaderMap::new();
        headers.insert(ACCEPT, HeaderValue::from_static("application/json"));
        headers.insert(ACCEPT_ENCODING, HeaderValue::from_static("identity"));
        if let Ok(host) = HeaderValue::from_str(host) {
            headers.insert(HOST, host);
        }
        if let Some(value) = stand_in(&self.surroundings.environment, variable) {
            headers.insert(AUTHORIZATION, value);
        }
        let request = Request {
            method: Method::GET,
            base: Base {
                is_https: true,
                host: host.to_owned(),
                port: 443,
            },
            target,
            headers,
            body: Bytes::new(),
        };
        let answer = self.surroundings.client.send(request, self.limits).await?;
        understood(host, &answer)
    }
}

/// The token that stands for a credential. Anything else in the variable could be a real one, and
/// is nobody's business.
fn stand_in(environment: &BTreeMap<String, String>, variable: &str) -> Option<HeaderValue> {
    let token = environment.get(variable)?;
    let token = token.starts_with(STAND_IN).then_some(token)?;
    HeaderValue::from_str(&format!("Bearer {token}")).ok()
}

fn understood(host: &str, answer: &Answer) -> Result<Value, CallError> {
    let value: Option<Value> = serde_json::from_slice(&answer.body).ok();
    if !(200..300).contains(&answer.status) {
        let said = value.as_ref().and_then(said);
        let said = said.unwrap_or_else(|| String::from_utf8_lossy(&answer.body).into_owned());
        let (status, said) = (answer.status, head(said.trim(), SAID_OCTETS));
        return Err(CallError::new(format!(
            "{host} refused, HTTP {status}: {said}"
        )));
    }
    if answer.is_cut {
        return Err(CallError::new(format!(
            "{host} answered more than is read at once: ask for less"
        )));
    }
    value.ok_or_else(|| CallError::new(format!("{host} answered something that is no JSON")))
}

/// The code and message of an error, as the three clouds write them.
fn said(value: &Value) -> Option<String> {
    let error = value.get("error").or_else(|| value.get("Error"))?;
    let text = |names: [&str; 3]| {
        let found = names.iter().find_map(|name| error.get(name));
        found.and_then(Value::as_str).unwrap_or_default().to_owned()
    };
    let code = text(["code", "Code", "status"]);
    Some(format!("{code} {}", text(["message", "Message", "reason"])))
}

/// Some fields of an object, those that are there.
fn fields(value: &Value, names: &[(&str, &str)]) -> Value {
    let found = names.iter().filter_map(|(from, to)| {
        let value = value
            .get(from)
            .filter(|it| it.is_string() || it.is_number())?;
        Some(((*to).to_owned(), value.clone()))
    });
    Value::Object(found.collect::<Map<_, _>>())
}

/// Some fields of each entry of a list.
fn entries(value: &Value, list: &str, names: &[(&str, &str)]) -> Vec<Value> {
    let list = value.get(list).and_then(Value::as_array);
    list.into_iter()
        .flatten()
        .map(|it| fields(it, names))
        .collect()
}

/// How a token begins that stands for a credential.
const STAND_IN: &str = "rf_";
/// How much of what a cloud says of an error is passed on.
const SAID_OCTETS: usize = 500;

#[cfg(test)]
mod tests;
