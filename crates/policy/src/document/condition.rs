//! Conditions in rules: CEL expressions over the request, compiled when the rule is read. What an
//! expression can cost is bounded by its length, by what it may use, and by what it looks at.

mod check;
mod values;

use std::fmt;
use std::str::FromStr;
use std::sync::{Arc, LazyLock};

use cel::{Context, Env, Program};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::error::quoted;
use crate::limits::{CONDITION_DEPTH, CONDITION_OCTETS};
pub(crate) use check::Needs;

/// A compiled CEL expression over `request`, compared by its text.
#[derive(Clone, Serialize, Deserialize, JsonSchema)]
#[serde(try_from = "String", into = "String")]
#[schemars(with = "String")]
pub struct Condition {
    text: Arc<str>,
    program: Arc<Program>,
    needs: Needs,
}

/// Why an expression was refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ConditionError {
    /// Too long.
    #[error("a condition has at most {CONDITION_OCTETS} octets")]
    Long,
    /// Too deep.
    #[error("a condition is nested at most {CONDITION_DEPTH} levels deep")]
    Deep,
    /// Not CEL.
    #[error("not a CEL expression: {0}")]
    Syntax(String),
    /// A value instead of a question.
    #[error("a condition asks something about `request`, and this is a value")]
    Constant,
    /// A name that means nothing.
    #[error("`{0}` is not known here: a condition looks at `request` with a field behind the dot")]
    Name(String),
    /// A field that a request does not have.
    #[error("{NO_FIELD} `{0}`")]
    Field(String),
    /// A function that is not there.
    #[error("a condition has no function `{0}`")]
    Function(String),
    /// A macro that makes a list, or one inside another.
    #[error("a condition has `all`, `exists` and `exists_one`, not one inside another, and `has`")]
    Macro,
    /// Structures.
    #[error("a condition makes no structures")]
    Structure,
}

/// How the message about a field that is not there starts.
pub(crate) const NO_FIELD: &str = "a request has no field";

/// The functions and operators of CEL, without time and regular expressions.
static ENVIRONMENT: LazyLock<Arc<Env>> = LazyLock::new(|| Arc::new(Env::stdlib()));

impl Condition {
    /// As it was written.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// What of a request it looks at.
    pub(crate) const fn needs(&self) -> Needs {
        self.needs
    }

    /// Whether it is true of the request that `document` describes. None where it cannot be
    /// told: an error, a value that is not there, more text or values than it may look at.
    pub(crate) fn holds(&self, document: &Value) -> Option<bool> {
        let request = values::of_request(document, self.needs)?;
        let mut context = Context::with_env(ENVIRONMENT.clone());
        context.add_variable_from_value(check::VARIABLE, request);
        match self.program.execute(&context) {
            Ok(cel::Value::Bool(holds)) => Some(holds),
            _ => None,
        }
    }
}

impl FromStr for Condition {
    type Err = ConditionError;

    fn from_str(text: &str) -> Result<Self, ConditionError> {
        if text.len() > CONDITION_OCTETS {
            return Err(ConditionError::Long);
        }
        check::nesting(text)?;
        let program = ENVIRONMENT.compile(text).map_err(|errors| {
            let first = errors.errors.first();
            let message = first.map(|error| error.msg.as_str()).unwrap_or_default();
            ConditionError::Syntax(quoted(message))
        })?;
        Ok(Self {
            text: text.into(),
            needs: check::expression(program.expression())?,
            program: Arc::new(program),
        })
    }
}

impl PartialEq for Condition {
    fn eq(&self, other: &Self) -> bool {
        self.text == other.text
    }
}

impl Eq for Condition {}

impl fmt::Debug for Condition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", self.text)
    }
}

impl TryFrom<String> for Condition {
    type Error = ConditionError;

    fn try_from(text: String) -> Result<Self, ConditionError> {
        text.parse()
    }
}

impl From<Condition> for String {
    fn from(condition: Condition) -> Self {
        condition.text.as_ref().to_owned()
    }
}

#[cfg(test)]
mod tests;
