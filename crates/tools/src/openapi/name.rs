//! Names for tools and arguments, out of what a description has.

use std::collections::BTreeSet;

use crate::limits::NAME_OCTETS;

/// A name that no other tool has: that of the operation, or its method and path.
pub(super) fn of_tool(
    id: Option<&str>,
    (method, path): (&str, &str),
    taken: &mut BTreeSet<String>,
) -> String {
    let plain = match id.map(plain).filter(|it| !it.is_empty()) {
        Some(name) => name,
        None => plain(&format!("{}_{path}", method.to_ascii_lowercase())),
    };
    unique(&plain, taken)
}

/// A name that no other argument of the tool has.
pub(super) fn of_argument(name: &str, place: &str, taken: &mut BTreeSet<String>) -> String {
    let own = plain(name);
    let own = if own.is_empty() {
        place.to_owned()
    } else {
        own
    };
    if taken.contains(&own) {
        return unique(&format!("{place}_{own}"), taken);
    }
    unique(&own, taken)
}

/// Letters, digits, `_` and `-`; a run of anything else is one `_`.
fn plain(text: &str) -> String {
    let mut plain = String::new();
    for character in text.chars() {
        if character.is_ascii_alphanumeric() || character == '-' {
            plain.push(character);
        } else if !plain.is_empty() && !plain.ends_with('_') {
            plain.push('_');
        }
    }
    plain
        .trim_end_matches('_')
        .chars()
        .take(NAME_OCTETS)
        .collect()
}

fn unique(name: &str, taken: &mut BTreeSet<String>) -> String {
    let mut number = 1_usize;
    loop {
        let ending = match number {
            1 => String::new(),
            number => format!("_{number}"),
        };
        let room = NAME_OCTETS.saturating_sub(ending.len());
        let start: String = name.chars().take(room).collect();
        let name = format!("{start}{ending}");
        if taken.insert(name.clone()) {
            return name;
        }
        number += 1;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_short_plain_and_never_the_same() {
        let mut taken = BTreeSet::new();
        let long = "x".repeat(200);
        let named = ["list pets", "list_pets", "list/pets", "é", &long, &long];
        let names: Vec<String> = named
            .iter()
            .map(|id| of_tool(Some(id), ("GET", "/pets/{id}"), &mut taken))
            .collect();
        assert_eq!(
            names[..4],
            ["list_pets", "list_pets_2", "list_pets_3", "get_pets_id"]
        );
        assert!(
            names
                .iter()
                .all(|name| crate::tool::check_name(name).is_ok()),
            "{names:?}"
        );
        assert_eq!(taken.len(), named.len());
    }

    #[test]
    fn a_thousand_operations_of_one_name_are_told_apart_at_once() {
        let mut taken = BTreeSet::new();
        for _ in 0..1000 {
            of_tool(Some("same"), ("GET", "/"), &mut taken);
        }
        assert_eq!(taken.len(), 1000);
    }

    #[test]
    fn arguments_of_one_name_say_where_they_stand() {
        let mut taken = BTreeSet::new();
        let mut of = |name, place| of_argument(name, place, &mut taken);
        assert_eq!(of("id", "path"), "id");
        assert_eq!(of("id", "query"), "query_id");
        assert_eq!(of("filter[name]", "query"), "filter_name");
        assert_eq!(of("$", "query"), "query");
    }
}
