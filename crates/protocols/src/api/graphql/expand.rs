//! Expands the fragments and variables of one GraphQL operation. The cost is bounded by the text
//! of the query, however often its fragments are spread.

use std::cell::Cell;
use std::collections::{BTreeSet, HashMap};

use graphql_parser::query::{
    Definition, Document, Field, FragmentDefinition, Selection, SelectionSet, Value as Literal,
    VariableDefinition,
};
use ringfence_model::GraphqlField;
use serde_json::{Map, Number, Value};

use super::{GraphqlError, Text};
use crate::api::limits::{
    GRAPHQL_FIELDS, GRAPHQL_NESTING, GRAPHQL_REPEATED_OCTETS, GRAPHQL_ROOTS, GRAPHQL_STEPS,
};
use crate::api::weight;

/// The fragments and variables of one operation.
pub(super) struct Expansion<'d, 'a> {
    fragments: HashMap<&'d str, &'d FragmentDefinition<'a, Text>>,
    /// The values of the variables, and what each weighs.
    variables: HashMap<&'d str, (Value, u64)>,
    /// What values may still weigh, each counted as often as it is used.
    room: Cell<u64>,
    declared: BTreeSet<&'d str>,
    /// What each fragment reaches below a field, or at the root; none while it is being found out.
    reached: HashMap<(&'d str, Parent<'d>), Option<Reach>>,
    /// Steps from a field to one below it.
    selected: BTreeSet<(&'d str, &'d str)>,
    looked_at: usize,
}

/// The field that a selection is of; none at the root.
type Parent<'d> = Option<&'d str>;

/// How far a selection goes.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Reach {
    pub(super) depth: u16,
    pub(super) size: u32,
}

impl<'d, 'a> Expansion<'d, 'a> {
    pub(super) fn new(
        document: &'d Document<'a, Text>,
        definitions: &'d [VariableDefinition<'a, Text>],
        given: &Map<String, Value>,
    ) -> Result<Self, GraphqlError> {
        let mut fragments = HashMap::new();
        for definition in &document.definitions {
            if let Definition::Fragment(fragment) = definition
                && fragments.insert(fragment.name.as_str(), fragment).is_some()
            {
                return Err(GraphqlError::Expansion("two fragments have one name"));
            }
        }
        let mut expansion = Self {
            fragments,
            variables: HashMap::new(),
            room: Cell::new(GRAPHQL_REPEATED_OCTETS),
            declared: BTreeSet::new(),
            reached: HashMap::new(),
            selected: BTreeSet::new(),
            looked_at: 0,
        };
        for definition in definitions {
            expansion.declare(definition, given)?;
        }
        Ok(expansion)
    }

    /// A variable has the value that was sent with the query, else its default, else none.
    fn declare(
        &mut self,
        definition: &'d VariableDefinition<'a, Text>,
        given: &Map<String, Value>,
    ) -> Result<(), GraphqlError> {
        let name = definition.name.as_str();
        if !self.declared.insert(name) {
            return Err(GraphqlError::Expansion("two variables have one name"));
        }
        let value = match (given.get(name), &definition.default_value) {
            (Some(value), _) => Some(value.clone()),
            (None, Some(default)) => self.value(default, 0)?,
            (None, None) => None,
        };
        if let Some(value) = value {
            let weight = weight::of_value(&value);
            self.variables.insert(name, (value, weight));
        }
        Ok(())
    }

    /// The root fields, those of fragments included. A directive that might leave one out is not
    /// evaluated: the field counts.
    pub(super) fn roots(
        &mut self,
        root: &'d SelectionSet<'a, Text>,
    ) -> Result<Vec<GraphqlField>, GraphqlError> {
        let mut fields = Vec::new();
        let mut open = vec![root];
        let mut spread = BTreeSet::new();
        while let Some(set) = open.pop() {
            // Taken from the end, so put there in reverse.
            let mut inner = Vec::new();
            for selection in &set.items {
                match selection {
                    Selection::Field(field) => fields.push(self.field(field)?),
                    Selection::InlineFragment(fragment) => inner.push(&fragment.selection_set),
                    Selection::FragmentSpread(it) if spread.insert(&it.fragment_name) => {
                        inner.push(&self.fragment(&it.fragment_name)?.selection_set);
                    }
                    // The same fields once more.
                    Selection::FragmentSpread(_) => {}
                }
            }
            open.extend(inner.into_iter().rev());
            if fields.len() > GRAPHQL_ROOTS {
                return Err(GraphqlError::Expansion("it has too many root fields"));
            }
        }
        if fields.is_empty() {
            return Err(GraphqlError::Expansion("it selects nothing"));
        }
        Ok(fields)
    }

    /// How deep and how wide a selection is, its fragments expanded; notes the steps below the root.
    pub(super) fn reach(&mut self, set: &'d SelectionSet<'a, Text>) -> Result<Reach, GraphqlError> {
        self.reach_below(set, None, 0)
    }

    /// All steps below the root, as `parent.child`.
    pub(super) fn into_selected(self) -> Vec<String> {
        let steps = self.selected.into_iter();
        steps.map(|(from, to)| format!("{from}.{to}")).collect()
    }

    fn reach_below(
        &mut self,
        set: &'d SelectionSet<'a, Text>,
        parent: Parent<'d>,
        nesting: usize,
    ) -> Result<Reach, GraphqlError> {
        if nesting > GRAPHQL_NESTING {
            return Err(GraphqlError::Expansion("it is nested too deeply"));
        }
        let mut total = Reach::default();
        for selection in &set.items {
            let found = match selection {
                Selection::Field(field) => {
                    self.note(parent, &field.name)?;
                    self.reach_below(&field.selection_set, Some(&field.name), nesting + 1)?
                        .with_one_more()
                }
                Selection::InlineFragment(fragment) => {
                    self.reach_below(&fragment.selection_set, parent, nesting + 1)?
                }
                Selection::FragmentSpread(spread) => {
                    self.reach_of_fragment(&spread.fragment_name, parent, nesting + 1)?
                }
            };
            total.depth = total.depth.max(found.depth);
            total.size = total.size.saturating_add(found.size);
        }
        Ok(total)
    }

    /// Found out once for each fragment and the field that it is spread in: once more is free.
    fn reach_of_fragment(
        &mut self,
        name: &'d str,
        parent: Parent<'d>,
        nesting: usize,
    ) -> Result<Reach, GraphqlError> {
        match self.reached.get(&(name, parent)) {
            Some(Some(reach)) => return Ok(*reach),
            Some(None) => return Err(GraphqlError::Expansion("a fragment contains itself")),
            None => {}
        }
        let fragment = self.fragment(name)?;
        self.reached.insert((name, parent), None);
        let reach = self.reach_below(&fragment.selection_set, parent, nesting)?;
        self.reached.insert((name, parent), Some(reach));
        Ok(reach)
    }

    /// Notes a step. A long selection that is spread in many places costs its length each time.
    fn note(&mut self, parent: Parent<'d>, name: &'d str) -> Result<(), GraphqlError> {
        self.looked_at += 1;
        if let Some(parent) = parent {
            self.selected.insert((parent, name));
        }
        if self.selected.len() > GRAPHQL_STEPS || self.looked_at > GRAPHQL_FIELDS {
            return Err(GraphqlError::Expansion("it selects too many fields"));
        }
        Ok(())
    }

    fn fragment(&self, name: &str) -> Result<&'d FragmentDefinition<'a, Text>, GraphqlError> {
        let found = self.fragments.get(name).copied();
        found.ok_or(GraphqlError::Expansion("a fragment is not defined"))
    }

    fn field(&self, field: &Field<'a, Text>) -> Result<GraphqlField, GraphqlError> {
        let mut arguments = Map::new();
        for (name, literal) in &field.arguments {
            if arguments.contains_key(name) {
                return Err(GraphqlError::Expansion("an argument occurs twice"));
            }
            if let Some(value) = self.value(literal, 0)? {
                arguments.insert(name.clone(), value);
            }
        }
        Ok(GraphqlField {
            name: field.name.clone(),
            arguments: Value::Object(arguments),
        })
    }

    /// A copy of the value of a variable, if there is room for one more.
    fn variable(&self, name: &str) -> Result<Option<Value>, GraphqlError> {
        let Some((value, weight)) = self.variables.get(name) else {
            return Ok(None);
        };
        let left = self.room.get().checked_sub(*weight);
        let left = left.ok_or(GraphqlError::Expansion(
            "its variables are used too often for their size",
        ))?;
        self.room.set(left);
        Ok(Some(value.clone()))
    }

    /// None for a variable without value, which counts as an argument that was not given.
    fn value(
        &self,
        literal: &Literal<'a, Text>,
        nesting: usize,
    ) -> Result<Option<Value>, GraphqlError> {
        if nesting > GRAPHQL_NESTING {
            return Err(GraphqlError::Expansion("a value is nested too deeply"));
        }
        let value = match literal {
            Literal::Variable(name) if self.declared.contains(name.as_str()) => {
                return self.variable(name);
            }
            Literal::Variable(_) => {
                return Err(GraphqlError::Expansion("a variable is not declared"));
            }
            Literal::Int(number) => number
                .as_i64()
                .map(Value::from)
                .ok_or(GraphqlError::Expansion("a number is too large"))?,
            Literal::Float(number) => Number::from_f64(*number)
                .map(Value::Number)
                .ok_or(GraphqlError::Expansion("a number is too large"))?,
            Literal::String(text) | Literal::Enum(text) => Value::String(text.clone()),
            Literal::Boolean(truth) => Value::Bool(*truth),
            Literal::Null => Value::Null,
            Literal::List(items) => {
                let items = items.iter().map(|item| self.value(item, nesting + 1));
                let items = items.collect::<Result<Vec<_>, _>>()?;
                // A variable without value is null in a list.
                items.into_iter().map(Option::unwrap_or_default).collect()
            }
            Literal::Object(members) => {
                let mut object = Map::new();
                for (name, member) in members {
                    if let Some(value) = self.value(member, nesting + 1)? {
                        object.insert(name.clone(), value);
                    }
                }
                Value::Object(object)
            }
        };
        Ok(Some(value))
    }
}

impl Reach {
    const fn with_one_more(self) -> Self {
        Self {
            depth: self.depth.saturating_add(1),
            size: self.size.saturating_add(1),
        }
    }
}
