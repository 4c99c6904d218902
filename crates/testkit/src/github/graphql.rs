//! GraphQL: the root fields that `gh` uses, and any selection below them.

use graphql_parser::query::{
    Definition, Document, Field, OperationDefinition, Selection, SelectionSet, Value as Literal,
    parse_query,
};
use serde_json::{Map, Value, json};

use super::State;
use crate::api::ApiResponse;

type Text = String;

impl State {
    pub(super) fn graphql(&mut self, body: &Value) -> ApiResponse {
        let query = body["query"].as_str().unwrap_or_default();
        let document = match parse_query::<Text>(query) {
            Ok(document) => document.into_static(),
            Err(error) => return failed(&error.to_string()),
        };
        let named = body["operationName"].as_str();
        let mut operations = document.definitions.iter().filter_map(|it| match it {
            Definition::Operation(operation) => Some(operation),
            Definition::Fragment(_) => None,
        });
        let Some(operation) = operations.find(|it| named.is_none() || name_of(it) == named) else {
            return failed("no operation");
        };
        let run = Run {
            document: &document,
            variables: &body["variables"],
        };
        let mut data = Map::new();
        for field in run.fields(roots(operation)) {
            let found = self.root(&field.name, &run.arguments(field));
            let key = field.alias.as_ref().unwrap_or(&field.name);
            data.insert(key.clone(), run.select(&found, &field.selection_set));
        }
        ApiResponse::json(200, &json!({"data": data}))
    }

    fn root(&mut self, name: &str, arguments: &Value) -> Value {
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        match name {
            "viewer" => json!({"login": "acme-bot", "id": "U_1"}),
            "repository" => self
                .find(&text(&arguments["owner"]), &text(&arguments["name"]))
                .unwrap_or_default(),
            "__type" => {
                let names = [
                    "title",
                    "isInMergeQueue",
                    "statusCheckRollup",
                    "stateReason",
                ];
                let fields: Vec<_> = names.iter().map(|name| json!({"name": name})).collect();
                json!({"fields": fields, "enumValues": []})
            }
            "createPullRequest" => {
                let input = &arguments["input"];
                let repositories = super::REPOSITORIES.iter();
                let mut repositories = repositories.map(|it| self.describe(it));
                let Some(into) = repositories.find(|it| it["id"] == input["repositoryId"]) else {
                    return Value::Null;
                };
                drop(repositories);
                let fields = json!({
                    "title": input["title"], "body": input["body"],
                    "head": input["headRefName"], "base": input["baseRefName"],
                });
                json!({"pullRequest": self.open(&text(&into["full_name"]), fields)})
            }
            "node" | "search" | "organization" | "user" => {
                json!({"id": "R_plans", "name": "plans"})
            }
            other => {
                self.writes.push(other.to_owned());
                json!({"clientMutationId": null})
            }
        }
    }
}

struct Run<'d> {
    document: &'d Document<'static, Text>,
    variables: &'d Value,
}

impl<'d> Run<'d> {
    /// The fields of a selection, those of fragments included.
    fn fields(&self, set: &'d SelectionSet<'static, Text>) -> Vec<&'d Field<'static, Text>> {
        let below = |selection: &'d Selection<'static, Text>| match selection {
            Selection::Field(field) => vec![field],
            Selection::InlineFragment(fragment) => self.fields(&fragment.selection_set),
            Selection::FragmentSpread(spread) => {
                let named = self.document.definitions.iter().find_map(|it| match it {
                    Definition::Fragment(it) if it.name == spread.fragment_name => Some(it),
                    _ => None,
                });
                named.map_or_else(Vec::new, |it| self.fields(&it.selection_set))
            }
        };
        set.items.iter().flat_map(below).collect()
    }

    /// `pullRequest(number:)` picks one of the pull requests; every other field is a member.
    fn select(&self, from: &Value, set: &'d SelectionSet<'static, Text>) -> Value {
        match from {
            Value::Array(items) => items.iter().map(|item| self.select(item, set)).collect(),
            Value::Object(_) if !set.items.is_empty() => {
                let mut found = Map::new();
                for field in self.fields(set) {
                    let key = field.alias.as_ref().unwrap_or(&field.name);
                    let value = self.member(from, field);
                    found.insert(key.clone(), self.select(&value, &field.selection_set));
                }
                Value::Object(found)
            }
            other => other.clone(),
        }
    }

    fn member(&self, from: &Value, field: &Field<'static, Text>) -> Value {
        if field.name == "pullRequest" && from.get("pullRequests").is_some() {
            let number = self.arguments(field)["number"].clone();
            let pulls = from["pullRequests"]["nodes"].as_array().cloned();
            let mut pulls = pulls.unwrap_or_default().into_iter();
            return pulls.find(|it| it["number"] == number).unwrap_or_default();
        }
        from[&field.name].clone()
    }

    fn arguments(&self, field: &Field<'static, Text>) -> Value {
        let arguments = field.arguments.iter();
        arguments
            .map(|(name, literal)| (name.clone(), self.value(literal)))
            .collect::<Map<_, _>>()
            .into()
    }

    fn value(&self, literal: &Literal<'static, Text>) -> Value {
        match literal {
            Literal::Variable(name) => self.variables[name].clone(),
            Literal::Int(number) => number.as_i64().into(),
            Literal::Float(number) => json!(number),
            Literal::String(text) | Literal::Enum(text) => json!(text),
            Literal::Boolean(truth) => json!(truth),
            Literal::Null => Value::Null,
            Literal::List(items) => items.iter().map(|item| self.value(item)).collect(),
            Literal::Object(members) => members
                .iter()
                .map(|(name, member)| (name.clone(), self.value(member)))
                .collect::<Map<_, _>>()
                .into(),
        }
    }
}

fn name_of<'o>(operation: &'o OperationDefinition<'_, Text>) -> Option<&'o str> {
    match operation {
        OperationDefinition::SelectionSet(_) => None,
        OperationDefinition::Query(it) => it.name.as_deref(),
        OperationDefinition::Mutation(it) => it.name.as_deref(),
        OperationDefinition::Subscription(it) => it.name.as_deref(),
    }
}

fn roots<'o>(operation: &'o OperationDefinition<'static, Text>) -> &'o SelectionSet<'static, Text> {
    match operation {
        OperationDefinition::SelectionSet(set) => set,
        OperationDefinition::Query(it) => &it.selection_set,
        OperationDefinition::Mutation(it) => &it.selection_set,
        OperationDefinition::Subscription(it) => &it.selection_set,
    }
}

fn failed(message: &str) -> ApiResponse {
    ApiResponse::json(200, &json!({"errors": [{"message": message}]}))
}
