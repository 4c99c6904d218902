//! Every literal of a GraphQL document, wherever it stands: also in operations that do not run,
//! in directives, and in fragments that nothing spreads. They are sent on, so they are looked at.

use graphql_parser::query::{
    Definition, Directive, Document, OperationDefinition, Selection, SelectionSet, Value,
    VariableDefinition,
};

use super::{GraphqlError, Text};

type Literal<'a> = Value<'a, Text>;

/// The literals, in the order in which they stand.
///
/// # Errors
/// Where one is of a form that cannot be written in one way: the library writes a text with a line
/// end as a block string, which loses some of it, and a number that is not finite as a name.
pub(super) fn of<'d, 'a>(
    document: &'d Document<'a, Text>,
) -> Result<Vec<&'d Literal<'a>>, GraphqlError> {
    let mut found = Vec::new();
    for definition in &document.definitions {
        match definition {
            Definition::Fragment(fragment) => {
                directives(&fragment.directives, &mut found);
                selection(&fragment.selection_set, &mut found);
            }
            Definition::Operation(it) => operation(it, &mut found),
        }
    }
    found.iter().try_for_each(|literal| check(literal))?;
    Ok(found)
}

fn operation<'d, 'a>(
    operation: &'d OperationDefinition<'a, Text>,
    found: &mut Vec<&'d Literal<'a>>,
) {
    let (definitions, on, root): (&[VariableDefinition<'a, Text>], &[Directive<'a, Text>], _) =
        match operation {
            OperationDefinition::SelectionSet(root) => (&[], &[], root),
            OperationDefinition::Query(it) => {
                (&it.variable_definitions, &it.directives, &it.selection_set)
            }
            OperationDefinition::Mutation(it) => {
                (&it.variable_definitions, &it.directives, &it.selection_set)
            }
            OperationDefinition::Subscription(it) => {
                (&it.variable_definitions, &it.directives, &it.selection_set)
            }
        };
    let defaults = definitions.iter();
    found.extend(defaults.filter_map(|definition| definition.default_value.as_ref()));
    directives(on, found);
    selection(root, found);
}

fn selection<'d, 'a>(set: &'d SelectionSet<'a, Text>, found: &mut Vec<&'d Literal<'a>>) {
    for item in &set.items {
        match item {
            Selection::Field(field) => {
                found.extend(field.arguments.iter().map(|(_, value)| value));
                directives(&field.directives, found);
                selection(&field.selection_set, found);
            }
            Selection::FragmentSpread(spread) => directives(&spread.directives, found),
            Selection::InlineFragment(fragment) => {
                directives(&fragment.directives, found);
                selection(&fragment.selection_set, found);
            }
        }
    }
}

fn directives<'d, 'a>(on: &'d [Directive<'a, Text>], found: &mut Vec<&'d Literal<'a>>) {
    let arguments = on.iter().flat_map(|directive| &directive.arguments);
    found.extend(arguments.map(|(_, value)| value));
}

fn check(literal: &Literal<'_>) -> Result<(), GraphqlError> {
    match literal {
        Value::String(text) if !text.chars().all(is_plain) => Err(GraphqlError::Expansion(
            "a text in it has a line end or another control character: send it as a variable",
        )),
        Value::Float(number) if !number.is_finite() => {
            Err(GraphqlError::Expansion("a number is too large"))
        }
        Value::List(items) => items.iter().try_for_each(check),
        Value::Object(members) => members.values().try_for_each(check),
        _ => Ok(()),
    }
}

/// What the library writes as it is.
const fn is_plain(character: char) -> bool {
    matches!(character, ' '..='~' | '\u{a0}'..='\u{ffff}')
}
