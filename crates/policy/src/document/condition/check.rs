//! What an expression may be made of, and what of the request it looks at.

use cel::IdedExpr;
use cel::common::ast::{ComprehensionExpr, EntryExpr, Expr, LiteralValue, SelectExpr};

use super::ConditionError;
use crate::error::quoted;
use crate::limits::CONDITION_DEPTH;

/// The one variable of an expression.
pub(super) const VARIABLE: &str = "request";

/// The fields of [`VARIABLE`], and of its `content`.
const FIELDS: &[&str] = &[
    "method", "scheme", "host", "port", "path", "query", "headers", "content", "graphql",
];
const CONTENT_FIELDS: &[&str] = &["type", "octets", "json"];

/// Functions besides operators. None makes a long text from a short one or reads a pattern.
const FUNCTIONS: &[&str] = &[
    "bool",
    "contains",
    "double",
    "endsWith",
    "int",
    "size",
    "startsWith",
    "string",
    "uint",
];

/// What of a request must be known to evaluate an expression.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Needs {
    pub(crate) headers: bool,
    /// The type or size of the body.
    pub(crate) content: bool,
    /// The size of the body.
    pub(crate) octets: bool,
    pub(crate) json: bool,
    pub(crate) graphql: bool,
}

/// Bounds the recursion of the parser: every level of it takes a bracket, a sign or a `?`.
pub(super) fn nesting(text: &str) -> Result<(), ConditionError> {
    let deeper = |octet: u8| matches!(octet, b'(' | b'[' | b'{' | b'?' | b'!');
    let (mut open, mut signs): (usize, usize) = (0, 0);
    for octet in text.bytes() {
        match octet {
            b'-' => signs += 1,
            _ if deeper(octet) => open += 1,
            b')' | b']' | b'}' => open = open.saturating_sub(1),
            b' ' | b'\t' | b'\n' | b'\r' => {}
            _ => signs = 0,
        }
        if open + signs > CONDITION_DEPTH {
            return Err(ConditionError::Deep);
        }
    }
    Ok(())
}

pub(super) fn expression(root: &IdedExpr) -> Result<Needs, ConditionError> {
    if matches!(root.expr, Expr::Literal(_) | Expr::List(_) | Expr::Map(_)) {
        return Err(ConditionError::Constant);
    }
    let mut check = Check::default();
    check.expression(root, CONDITION_DEPTH)?;
    Ok(check.needs)
}

#[derive(Default)]
struct Check {
    needs: Needs,
    /// The variables of the macro that is being looked at.
    bound: Vec<String>,
}

impl Check {
    fn expression(&mut self, node: &IdedExpr, depth: usize) -> Result<(), ConditionError> {
        let depth = depth.checked_sub(1).ok_or(ConditionError::Deep)?;
        match &node.expr {
            Expr::Literal(_) => Ok(()),
            Expr::Ident(name) if self.bound.contains(name) => Ok(()),
            Expr::Ident(name) => Err(ConditionError::Name(quoted(name))),
            Expr::Select(select) => self.select(select, depth),
            Expr::Call(call) => {
                let name = call.func_name.as_str();
                if !is_operator(name) && !FUNCTIONS.contains(&name) {
                    return Err(match name {
                        "map" | "filter" => ConditionError::Macro,
                        _ => ConditionError::Function(quoted(name)),
                    });
                }
                let target = call.target.as_deref().into_iter();
                target
                    .chain(&call.args)
                    .try_for_each(|part| self.expression(part, depth))
            }
            Expr::List(list) => list
                .elements
                .iter()
                .try_for_each(|element| self.expression(element, depth)),
            Expr::Map(map) => map.entries.iter().try_for_each(|entry| match &entry.expr {
                EntryExpr::MapEntry(entry) => {
                    self.expression(&entry.key, depth)?;
                    self.expression(&entry.value, depth)
                }
                EntryExpr::StructField(_) => Err(ConditionError::Structure),
            }),
            Expr::Comprehension(comprehension) => self.comprehension(comprehension, depth),
            Expr::Struct(_) | Expr::Unspecified => Err(ConditionError::Structure),
        }
    }

    /// `request.method`, `request.content.json`, `has(request.graphql)`. Neither `request` nor its
    /// `content` stands alone, so it is known what must be read.
    fn select(&mut self, select: &SelectExpr, depth: usize) -> Result<(), ConditionError> {
        let field = select.field.as_str();
        if self.is_request(&select.operand) {
            if !FIELDS.contains(&field) {
                return Err(ConditionError::Field(quoted(field)));
            }
            match field {
                "content" => return Err(ConditionError::Name("request.content".to_owned())),
                "headers" => self.needs.headers = true,
                "graphql" => self.needs.graphql = true,
                _ => {}
            }
            return Ok(());
        }
        if let Expr::Select(outer) = &select.operand.expr
            && outer.field == "content"
            && !outer.test
            && self.is_request(&outer.operand)
        {
            if !CONTENT_FIELDS.contains(&field) {
                return Err(ConditionError::Field(format!("content.{}", quoted(field))));
            }
            self.needs.content = true;
            self.needs.octets |= field == "octets";
            self.needs.json |= field == "json";
            return Ok(());
        }
        self.expression(&select.operand, depth)
    }

    fn is_request(&self, node: &IdedExpr) -> bool {
        matches!(&node.expr, Expr::Ident(name) if name == VARIABLE)
            && !self.bound.iter().any(|bound| bound == VARIABLE)
    }

    /// The macros that give a boolean start with one, or with a count.
    fn comprehension(
        &mut self,
        node: &ComprehensionExpr,
        depth: usize,
    ) -> Result<(), ConditionError> {
        let counts = matches!(
            &node.accu_init.expr,
            Expr::Literal(LiteralValue::Boolean(_) | LiteralValue::Int(_))
        );
        if !counts || !self.bound.is_empty() {
            return Err(ConditionError::Macro);
        }
        self.expression(&node.iter_range, depth)?;
        let second = node.iter_var2.iter();
        self.bound
            .extend(second.chain([&node.iter_var, &node.accu_var]).cloned());
        let inner = [&node.loop_cond, &node.loop_step, &node.result];
        let checked = inner
            .into_iter()
            .try_for_each(|part| self.expression(part, depth));
        self.bound.clear();
        checked
    }
}

/// Operators have names that no function can have.
fn is_operator(name: &str) -> bool {
    name.bytes().any(|octet| !octet.is_ascii_alphanumeric())
}
