//! From text to checked profiles. The YAML parser's budget bounds what a text can cost;
//! aliases, merge keys, custom tags and duplicate keys are refused, so that a document says
//! what it shows.

use serde_saphyr::options::DuplicateKeyPolicy;
use serde_saphyr::{MergeKeyPolicy, Options};

use super::{Profile, check, check_set, help, outline};
use crate::error::{Located, PolicyError};
use crate::limits::{DOCUMENT_DEPTH, DOCUMENT_NODES, DOCUMENTS, SOURCE_OCTETS};

/// Reads and checks every document of a source.
pub(super) fn profiles(source_name: &str, yaml: &str) -> Result<Vec<Profile>, PolicyError> {
    if yaml.len() > SOURCE_OCTETS {
        let message = format!("a policy source has at most {SOURCE_OCTETS} octets");
        return Err(PolicyError::new(source_name, message));
    }
    let profiles: Vec<Profile> = serde_saphyr::from_multiple_with_options(yaml, options())
        .map_err(|error| describe(source_name, &error))?;
    if profiles.is_empty() {
        return Err(PolicyError::new(source_name, "there is no document in it")
            .with_help("a profile starts with `apiVersion: ringfence/v1` and `kind: Profile`"));
    }
    for (document, profile) in profiles.iter().enumerate() {
        check(profile).map_err(|fault| PolicyError {
            located: outline::locate(yaml, document, &fault.at),
            ..fault.into_error(source_name)
        })?;
    }
    check_set(&profiles).map_err(|fault| PolicyError {
        located: outline::locate(yaml, fault.document, &fault.at),
        ..fault.into_error(source_name)
    })?;
    Ok(profiles)
}

fn options() -> Options {
    serde_saphyr::options! {
        budget: serde_saphyr::budget! {
            max_reader_input_bytes: Some(SOURCE_OCTETS),
            max_events: 4 * DOCUMENT_NODES,
            max_nodes: DOCUMENT_NODES,
            max_aliases: 0,
            max_anchors: 0,
            max_depth: DOCUMENT_DEPTH,
            flow_nesting_limit: DOCUMENT_DEPTH,
            max_documents: DOCUMENTS,
            max_total_scalar_bytes: SOURCE_OCTETS,
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

fn describe(source_name: &str, error: &serde_saphyr::Error) -> PolicyError {
    let (message, help) = help::explain(error);
    PolicyError {
        source_name: source_name.to_owned(),
        located: error.location().map(|at| locate(&at)),
        message,
        help,
    }
}

fn locate(at: &serde_saphyr::Location) -> Located {
    let number = |value: u64| usize::try_from(value).unwrap_or(usize::MAX);
    let start = at.span().byte_offset().map_or(0, number);
    let length = at.span().byte_len().map_or(0, number);
    Located {
        line: number(at.line()),
        column: number(at.column()),
        span: start..start.saturating_add(length),
    }
}

#[cfg(test)]
mod tests;
