//! Lists of models, shortened to those that an agent may use.

use bytes::Bytes;
use ringfence_model::llm::ProviderKind;

use ringfence_json::{Changes, JsonError, Kind, Tape, Value};

/// Why a list of models is not read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ModelsError {
    /// It is no JSON that can be read in one way.
    #[error("{0}")]
    Json(JsonError),
    /// It has another shape than lists of models have.
    #[error("it is no list of models")]
    Shape,
}

/// The list with those models alone that `shows` names. All else stays as it is; what is known of
/// one model is no list, and stays.
///
/// # Errors
/// Where it is no list of models.
pub fn filter(
    kind: ProviderKind,
    body: &[u8],
    shows: &dyn Fn(&str) -> bool,
) -> Result<Bytes, ModelsError> {
    let tape = Tape::read(body).map_err(ModelsError::Json)?;
    let root = tape.root(body);
    let mut changes = Changes::default();
    let mut lists = 0;
    for list in ["data", "models"]
        .into_iter()
        .filter_map(|name| root.get(name))
    {
        if list.kind() != Kind::Array {
            return Err(ModelsError::Shape);
        }
        shorten(list, shows, &mut changes);
        lists += 1;
    }
    if root.kind() == Kind::Array {
        shorten(root, shows, &mut changes);
        lists += 1;
    }
    if lists == 0 && name_of(root).is_none() {
        return Err(ModelsError::Shape);
    }
    if kind == ProviderKind::Anthropic {
        name_ends(root, &mut changes);
    }
    Ok(changes.write(root).into())
}

fn shorten(list: Value<'_>, shows: &dyn Fn(&str) -> bool, changes: &mut Changes) {
    for model in list.elements() {
        if !name_of(model).is_some_and(|name| shows(&name)) {
            changes.remove(model.at());
        }
    }
}

/// The name that a request would have for a model.
fn name_of(model: Value<'_>) -> Option<String> {
    let mut names = ["id", "slug", "name"].into_iter();
    let name = names.find_map(|name| model.get(name)?.text())?;
    let short = name.strip_prefix("models/").unwrap_or(&name);
    Some(short.to_owned())
}

/// Anthropic names the first and the last model of a page again.
fn name_ends(root: Value<'_>, changes: &mut Changes) {
    let list = root.get("data").into_iter().flat_map(Value::elements);
    let kept: Vec<_> = list.filter(|it| !changes.is_removed(it.at())).collect();
    for (name, end) in [("first_id", kept.first()), ("last_id", kept.last())] {
        if let Some(named) = root.get(name) {
            let id = end.and_then(|it| it.get("id"));
            let id = id.map_or_else(|| b"null".to_vec(), |it| it.raw().to_vec());
            changes.replace(named.at(), String::from_utf8_lossy(&id).into_owned());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shortened(kind: ProviderKind, body: &str) -> Result<String, ModelsError> {
        let shown = filter(kind, body.as_bytes(), &|it| it.starts_with("ok"))?;
        Ok(String::from_utf8(shown.to_vec()).unwrap())
    }

    #[test]
    fn a_list_has_those_models_alone_that_are_shown() {
        for (kind, body, shown) in [
            (
                ProviderKind::Openai,
                r#"{"object":"list","data":[{"id":"no","object":"model"}, {"id":"ok-1"},{"x":1}]}"#,
                r#"{"object":"list","data":[{"id":"ok-1"}]}"#,
            ),
            (
                ProviderKind::Anthropic,
                r#"{"data":[{"id":"no-1"},{"id":"ok-1"},{"id":"ok-2"},{"id":"no-2"}],"first_id":"no-1","has_more":false,"last_id":"no-2"}"#,
                r#"{"data":[{"id":"ok-1"},{"id":"ok-2"}],"first_id":"ok-1","has_more":false,"last_id":"ok-2"}"#,
            ),
            (
                ProviderKind::Anthropic,
                r#"{"data":[{"id":"no"}],"first_id":"no","last_id":"no"}"#,
                r#"{"data":[],"first_id":null,"last_id":null}"#,
            ),
            (
                ProviderKind::Gemini,
                r#"{"models":[{"name":"models/ok-1"},{"name":"models/no"}]}"#,
                r#"{"models":[{"name":"models/ok-1"}]}"#,
            ),
            (
                ProviderKind::Openai,
                r#"[{"id":"no"},{"id":"ok"}]"#,
                r#"[{"id":"ok"}]"#,
            ),
            (ProviderKind::Openai, r#"{"id":"no"}"#, r#"{"id":"no"}"#),
        ] {
            assert_eq!(shortened(kind, body).as_deref(), Ok(shown));
        }
    }

    #[test]
    fn what_is_no_list_of_models_is_not_shown() {
        for body in [
            "",
            "{}",
            "<html>",
            r#"{"data":{"id":"no"}}"#,
            r#"{"data":[],"data":[{"id":"no"}]}"#,
        ] {
            assert!(shortened(ProviderKind::Openai, body).is_err(), "{body}");
        }
    }
}
