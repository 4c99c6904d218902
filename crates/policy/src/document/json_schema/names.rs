//! The names that a schema speaks of. Some readers of JSON fold case or pass over underscores: to
//! them `Repo` is `repo`, of which a schema may say what it must be.

use std::collections::BTreeSet;

use serde_json::{Map, Value};

/// The names of members in a schema, at any depth.
pub(super) struct Names {
    exact: BTreeSet<String>,
    folded: BTreeSet<String>,
}

impl Names {
    pub(super) fn of(schema: &Value) -> Self {
        let mut exact = BTreeSet::new();
        gather(schema, &mut exact);
        let folded = exact.iter().map(|name| fold(name)).collect();
        Self { exact, folded }
    }

    /// Where the first member is whose name is none of these, but is folded to one.
    pub(super) fn misspelled(&self, value: &Value) -> Option<String> {
        let mut open = vec![(String::new(), value)];
        while let Some((place, value)) = open.pop() {
            match value {
                Value::Array(elements) => {
                    let all = elements.iter().enumerate();
                    open.extend(all.map(|(index, it)| (format!("{place}/{index}"), it)));
                }
                Value::Object(members) => {
                    let below = |name: &str| format!("{place}/{}", escaped(name));
                    if let Some(name) = members.keys().find(|name| self.is_misspelled(name)) {
                        return Some(below(name));
                    }
                    let members = members.iter();
                    open.extend(members.map(|(name, member)| (below(name), member)));
                }
                _ => {}
            }
        }
        None
    }

    fn is_misspelled(&self, name: &str) -> bool {
        !self.exact.contains(name) && self.folded.contains(&fold(name))
    }
}

/// Its depth is bounded where the schema is read.
fn gather(schema: &Value, names: &mut BTreeSet<String>) {
    let Value::Object(keywords) = schema else {
        schema
            .as_array()
            .into_iter()
            .flatten()
            .for_each(|it| gather(it, names));
        return;
    };
    for (keyword, value) in keywords {
        match keyword.as_str() {
            "properties" | "dependentSchemas" | "dependentRequired" => {
                let members = value.as_object().into_iter().flat_map(Map::iter);
                for (name, below) in members {
                    names.insert(name.clone());
                    gather(below, names);
                }
            }
            "required" => {
                let required = value.as_array().into_iter().flatten();
                names.extend(required.filter_map(Value::as_str).map(str::to_owned));
            }
            "const" | "enum" => {}
            _ => gather(value, names),
        }
    }
}

/// A name without what some readers pass over.
fn fold(name: &str) -> String {
    let plain = name.chars().filter(|c| *c != '_');
    // The long s and the sign of Kelvin are letters of ASCII to readers that fold case.
    let upper = plain.filter_map(|c| c.to_uppercase().next());
    upper.filter_map(|c| c.to_lowercase().next()).collect()
}

/// A name in a JSON pointer (RFC 6901).
fn escaped(name: &str) -> String {
    name.replace('~', "~0").replace('/', "~1")
}
