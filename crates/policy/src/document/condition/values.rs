//! The request in the values of CEL: no more of it than an expression looks at, and bounded.

use std::collections::HashMap;
use std::sync::Arc;

use cel::Value as CelValue;
use cel::objects::Key;
use serde_json::{Map, Number, Value};

use super::Needs;
use crate::limits::{CONDITION_TEXT_OCTETS, CONDITION_VALUES};

/// None where the request holds more than a condition may look at.
pub(super) fn of_request(document: &Value, needs: Needs) -> Option<CelValue> {
    let mut budget = Budget {
        values: CONDITION_VALUES,
        octets: CONDITION_TEXT_OCTETS,
    };
    let fields = document.as_object()?;
    let mut request = HashMap::new();
    for (name, value) in fields {
        let value = match name.as_str() {
            "headers" if !needs.headers => continue,
            "graphql" if !needs.graphql => continue,
            "content" if !needs.content => continue,
            "content" => budget.content(value.as_object()?, needs)?,
            _ => budget.value(value)?,
        };
        request.insert(Key::from(name.as_str()), value);
    }
    Some(request.into())
}

struct Budget {
    values: usize,
    octets: usize,
}

impl Budget {
    fn content(&mut self, fields: &Map<String, Value>, needs: Needs) -> Option<CelValue> {
        let mut content = HashMap::new();
        for (name, value) in fields {
            if name != "json" || needs.json {
                content.insert(Key::from(name.as_str()), self.value(value)?);
            }
        }
        Some(content.into())
    }

    fn value(&mut self, value: &Value) -> Option<CelValue> {
        self.values = self.values.checked_sub(1)?;
        Some(match value {
            Value::Null => CelValue::Null,
            Value::Bool(value) => CelValue::Bool(*value),
            Value::Number(number) => self::number(number)?,
            Value::String(text) => CelValue::String(Arc::new(self.text(text)?)),
            Value::Array(items) => {
                let items: Option<Vec<_>> = items.iter().map(|item| self.value(item)).collect();
                CelValue::List(Arc::new(items?))
            }
            Value::Object(fields) => {
                let mut map = HashMap::new();
                for (name, value) in fields {
                    let name = Key::from(self.text(name)?);
                    map.insert(name, self.value(value)?);
                }
                map.into()
            }
        })
    }

    fn text(&mut self, text: &str) -> Option<String> {
        self.octets = self.octets.checked_sub(text.len())?;
        Some(text.to_owned())
    }
}

/// Whole numbers are signed ones where they can be, as they are in the text of an expression.
fn number(number: &Number) -> Option<CelValue> {
    if let Some(value) = number.as_i64() {
        return Some(CelValue::Int(value));
    }
    match number.as_u64() {
        Some(value) => Some(CelValue::UInt(value)),
        None => number.as_f64().map(CelValue::Float),
    }
}
