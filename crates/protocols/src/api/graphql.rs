//! What a GraphQL request does (GraphQL over HTTP, and the language of October 2021): one
//! operation, its root fields with their arguments, and what it selects below them. Fragments are
//! expanded and variables resolved, so that neither hides anything. The request that goes on is
//! written anew from what was read.

mod expand;
mod literals;

use graphql_parser::query::{Definition, Document, OperationDefinition, parse_query};
use ringfence_model::{GraphqlKind, GraphqlOperation};
use serde_json::{Map, Value, json};

use expand::Expansion;

/// Why a request is not understood as one GraphQL operation.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum GraphqlError {
    /// The envelope.
    #[error("the body is not a GraphQL request: {0}")]
    Envelope(&'static str),
    /// Several requests at once.
    #[error("several GraphQL requests in one are not decided on")]
    Batch,
    /// A reference to a query that the server knows and the gateway does not.
    #[error("a persisted GraphQL query cannot be read")]
    Persisted,
    /// The query is not in the language.
    #[error("the GraphQL query cannot be read: {0}")]
    Syntax(String),
    /// More than one operation, or none, could be meant.
    #[error("the GraphQL query does not say which one operation is meant")]
    Operation,
    /// It cannot be expanded.
    #[error("the GraphQL query cannot be expanded: {0}")]
    Expansion(&'static str),
}

/// A GraphQL request that was understood.
#[derive(Debug, Clone, PartialEq)]
pub struct GraphqlRequest {
    /// What it does.
    pub operation: GraphqlOperation,
    /// The body that says the same, written from what was read.
    pub body: Value,
}

type Text = String;

/// Reads the JSON body of a `POST`.
///
/// # Errors
/// Where it is not understood as exactly one operation.
pub fn read(body: &Value) -> Result<GraphqlRequest, GraphqlError> {
    let envelope = match body {
        Value::Object(envelope) => envelope,
        Value::Array(_) => return Err(GraphqlError::Batch),
        _ => return Err(GraphqlError::Envelope("it is not an object")),
    };
    let query = query_of(envelope)?;
    let empty = Map::new();
    let variables = match envelope.get("variables") {
        None | Some(Value::Null) => &empty,
        Some(Value::Object(variables)) => variables,
        Some(_) => return Err(GraphqlError::Envelope("`variables` is not an object")),
    };
    let name = match envelope.get("operationName") {
        None | Some(Value::Null) => None,
        Some(Value::String(name)) => Some(name.as_str()),
        Some(_) => return Err(GraphqlError::Envelope("`operationName` is not a text")),
    };
    check_block_strings(query)?;
    let document = parse_query::<Text>(query)
        .map_err(|error| GraphqlError::Syntax(shorten(&error.to_string())))?
        .into_static();
    let operation = selected(&document, name)?;
    let operation = describe(&document, operation, variables)?;
    Ok(GraphqlRequest {
        body: written(&document, variables, name)?,
        operation,
    })
}

fn query_of(envelope: &Map<String, Value>) -> Result<&str, GraphqlError> {
    let extensions = envelope.get("extensions");
    let is_empty = |value: &Value| value.is_null() || value.as_object().is_some_and(Map::is_empty);
    if extensions.is_some_and(|value| !is_empty(value)) {
        return Err(GraphqlError::Persisted);
    }
    for name in envelope.keys() {
        match name.as_str() {
            "query" | "variables" | "operationName" | "extensions" => {}
            // `id`, `queryId`, `doc_id` and `documentId` are names of persisted queries.
            _ if name.to_lowercase().contains("id") => return Err(GraphqlError::Persisted),
            _ => return Err(GraphqlError::Envelope("it has a member that is not known")),
        }
    }
    match envelope.get("query") {
        Some(Value::String(query)) => Ok(query),
        Some(_) => Err(GraphqlError::Envelope("`query` is not a text")),
        None => Err(GraphqlError::Envelope("there is no `query`")),
    }
}

/// The parser takes the common indentation of a block string off by octets, and does not survive
/// white space of several octets there.
fn check_block_strings(query: &str) -> Result<(), GraphqlError> {
    let is_wide = |character: char| !character.is_ascii() && character.is_whitespace();
    if query.contains("\"\"\"") && query.contains(is_wide) {
        let reason = "a block string with white space beyond ASCII is not read";
        return Err(GraphqlError::Expansion(reason));
    }
    Ok(())
}

type Operation<'a> = OperationDefinition<'a, Text>;

/// The operation that runs. A server takes the named one, or the only one.
fn selected<'a, 'd>(
    document: &'d Document<'a, Text>,
    name: Option<&str>,
) -> Result<&'d Operation<'a>, GraphqlError> {
    let mut operations = document.definitions.iter().filter_map(|it| match it {
        Definition::Operation(operation) => Some(operation),
        Definition::Fragment(_) => None,
    });
    let meant = |operation: &&Operation<'a>| name.is_none() || name_of(operation) == name;
    let found = operations.clone().filter(meant).collect::<Vec<_>>();
    match (found.as_slice(), name) {
        ([one], Some(_)) => Ok(*one),
        ([one], None) if operations.nth(1).is_none() => Ok(*one),
        _ => Err(GraphqlError::Operation),
    }
}

fn name_of<'o>(operation: &'o Operation<'_>) -> Option<&'o str> {
    match operation {
        OperationDefinition::SelectionSet(_) => None,
        OperationDefinition::Query(query) => query.name.as_deref(),
        OperationDefinition::Mutation(mutation) => mutation.name.as_deref(),
        OperationDefinition::Subscription(subscription) => subscription.name.as_deref(),
    }
}

fn describe<'a>(
    document: &Document<'a, Text>,
    operation: &Operation<'a>,
    variables: &Map<String, Value>,
) -> Result<GraphqlOperation, GraphqlError> {
    let (kind, definitions, root) = match operation {
        OperationDefinition::SelectionSet(root) => (GraphqlKind::Query, &[][..], root),
        OperationDefinition::Query(it) => (
            GraphqlKind::Query,
            it.variable_definitions.as_slice(),
            &it.selection_set,
        ),
        OperationDefinition::Mutation(it) => (
            GraphqlKind::Mutation,
            it.variable_definitions.as_slice(),
            &it.selection_set,
        ),
        OperationDefinition::Subscription(it) => (
            GraphqlKind::Subscription,
            it.variable_definitions.as_slice(),
            &it.selection_set,
        ),
    };
    let mut expansion = Expansion::new(document, definitions, variables)?;
    let fields = expansion.roots(root)?;
    let reach = expansion.reach(root)?;
    Ok(GraphqlOperation {
        kind,
        name: name_of(operation).map(str::to_owned),
        fields,
        depth: reach.depth,
        size: reach.size,
        selected: expansion.into_selected(),
    })
}

/// The request as it goes on. What it says must survive being written and read once more, text by
/// text and literal by literal: a difference would be a fault of the writer, and the upstream would
/// see something else.
fn written(
    document: &Document<'static, Text>,
    variables: &Map<String, Value>,
    name: Option<&str>,
) -> Result<Value, GraphqlError> {
    let known = literals::of(document)?;
    let query = document.to_string();
    check_block_strings(&query)?;
    let again = parse_query::<Text>(&query).map(Document::into_static);
    let is_same = again.is_ok_and(|again| {
        again.to_string() == query && literals::of(&again).is_ok_and(|found| found == known)
    });
    if !is_same {
        return Err(GraphqlError::Expansion("it cannot be written anew"));
    }
    let mut body = json!({"query": query});
    if let Value::Object(members) = &mut body {
        if !variables.is_empty() {
            members.insert("variables".to_owned(), Value::Object(variables.clone()));
        }
        if let Some(name) = name {
            members.insert("operationName".to_owned(), json!(name));
        }
    }
    Ok(body)
}

/// The parser's message quotes the query; a person needs its first line.
fn shorten(message: &str) -> String {
    let line = message.lines().find(|line| !line.trim().is_empty());
    line.unwrap_or_default().chars().take(120).collect()
}

#[cfg(test)]
mod tests;
