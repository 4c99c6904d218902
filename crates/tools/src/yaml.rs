//! YAML and JSON within bounds: no aliases, anchors, merge keys, custom tags or duplicate keys.

use serde::de::DeserializeOwned;
use serde_saphyr::options::DuplicateKeyPolicy;
use serde_saphyr::{DefaultMessageFormatter, Error, MergeKeyPolicy, MessageFormatter, Options};

use crate::error::{DefinitionError, head};
use crate::limits::{DOCUMENT_DEPTH, DOCUMENT_NODES, FAULT_OCTETS};

/// Reads one document.
///
/// # Errors
/// What is wrong with it, and where.
pub(crate) fn read<T: DeserializeOwned>(text: &str, octets: usize) -> Result<T, DefinitionError> {
    if text.len() > octets {
        return Err(DefinitionError::new(format!(
            "the file has more than {octets} octets"
        )));
    }
    serde_saphyr::from_str_with_options(text, options(octets)).map_err(|error| explain(&error))
}

fn options(octets: usize) -> Options {
    serde_saphyr::options! {
        budget: serde_saphyr::budget! {
            max_reader_input_bytes: Some(octets),
            max_events: 4 * DOCUMENT_NODES,
            max_nodes: DOCUMENT_NODES,
            max_aliases: 0,
            max_anchors: 0,
            max_depth: DOCUMENT_DEPTH,
            flow_nesting_limit: DOCUMENT_DEPTH,
            max_documents: 1,
            max_total_scalar_bytes: octets,
        },
        duplicate_keys: DuplicateKeyPolicy::Error,
        merge_keys: MergeKeyPolicy::Error,
        emit_comments: false,
        strict_booleans: true,
        reject_unsupported_tags: true,
        reject_tagged_field_names: true,
        with_snippet: false,
    }
}

fn explain(error: &Error) -> DefinitionError {
    let line = error.location().map_or(0, |at| at.line());
    let fault = match error.without_snippet() {
        Error::SerdeUnknownField {
            field, expected, ..
        } => {
            let known: Vec<String> = expected.iter().map(|name| format!("`{name}`")).collect();
            DefinitionError::new(format!("unknown field `{}`", head(field, 64)))
                .help(format!("known here: {}", known.join(", ")))
        }
        Error::SerdeMissingField { field, .. } => {
            DefinitionError::new(format!("`{field}` is missing"))
        }
        Error::DuplicateMappingKey { .. } => DefinitionError::new("this key is there twice"),
        Error::Budget { .. } => DefinitionError::new(
            "the file is larger or more deeply nested than this takes, or has anchors or aliases",
        )
        .help("write values themselves; a text that starts with `*` or `&` needs quotes"),
        other => {
            let message = DefaultMessageFormatter.format_message(other).into_owned();
            DefinitionError::new(head(&message, FAULT_OCTETS))
        }
    };
    fault.at(line)
}
