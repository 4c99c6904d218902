//! Values written anew.

use serde_json::{Map, Number};

use super::{Kind, Value, quoted};

impl Value<'_> {
    /// The value without blanks, its texts in their shortest form, numbers as they were written,
    /// members in their order.
    #[must_use]
    pub fn compact(self) -> Vec<u8> {
        let mut out = Vec::with_capacity(self.raw().len());
        write(self, Order::Written, &mut out);
        out
    }

    /// The same with the members of objects in the order of their names, so that two values that
    /// differ in nothing else are written alike.
    #[must_use]
    pub fn canonical(self) -> String {
        let mut out = Vec::with_capacity(self.raw().len());
        write(self, Order::Sorted, &mut out);
        // It consists of whole texts of a document in UTF-8.
        String::from_utf8(out).unwrap_or_default()
    }

    /// The value for libraries. Numbers with more digits than they hold are rounded as most readers
    /// do. None where a number is larger than they hold, which readers differ about.
    #[must_use]
    pub fn to_json(self) -> Option<serde_json::Value> {
        Some(match self.kind() {
            Kind::Null => serde_json::Value::Null,
            Kind::Bool => (self.raw() == b"true").into(),
            Kind::Number => number(self)?,
            Kind::Key | Kind::Text => self.text().unwrap_or_default().into_owned().into(),
            Kind::Array => {
                let elements: Option<Vec<_>> = self.elements().map(Self::to_json).collect();
                elements?.into()
            }
            Kind::Object => {
                let member = |(key, value): (Self, Self)| {
                    let name = key.text().unwrap_or_default().into_owned();
                    Some((name, value.to_json()?))
                };
                let members: Option<Map<_, _>> = self.members().map(member).collect();
                serde_json::Value::Object(members?)
            }
        })
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Order {
    Written,
    Sorted,
}

/// The depth of a document is bounded, so that of the calls is.
fn write(value: Value<'_>, order: Order, out: &mut Vec<u8>) {
    match value.kind() {
        Kind::Array => {
            out.push(b'[');
            for (index, element) in value.elements().enumerate() {
                if index > 0 {
                    out.push(b',');
                }
                write(element, order, out);
            }
            out.push(b']');
        }
        Kind::Object => {
            let mut members: Vec<_> = value.members().collect();
            if order == Order::Sorted {
                members.sort_by(|(a, _), (b, _)| a.text().cmp(&b.text()));
            }
            out.push(b'{');
            for (index, (key, value)) in members.into_iter().enumerate() {
                if index > 0 {
                    out.push(b',');
                }
                text(key, out);
                out.push(b':');
                write(value, order, out);
            }
            out.push(b'}');
        }
        Kind::Key | Kind::Text => text(value, out),
        Kind::Null | Kind::Bool | Kind::Number => out.extend_from_slice(value.raw()),
    }
}

fn text(value: Value<'_>, out: &mut Vec<u8>) {
    if value.is_escaped() {
        let text = value.text().unwrap_or_default();
        out.extend_from_slice(quoted(&text).as_bytes());
    } else {
        out.extend_from_slice(value.raw());
    }
}

fn number(value: Value<'_>) -> Option<serde_json::Value> {
    let text = std::str::from_utf8(value.raw()).unwrap_or_default();
    let whole = text
        .parse::<i64>()
        .map(Number::from)
        .or_else(|_| text.parse::<u64>().map(Number::from));
    let fraction = || text.parse::<f64>().ok().and_then(Number::from_f64);
    whole.ok().or_else(fraction).map(serde_json::Value::Number)
}
