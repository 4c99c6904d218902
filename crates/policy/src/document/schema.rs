//! The JSON Schema of a profile document, for editors and for other tools.

use super::Profile;

/// The JSON Schema (draft 2020-12) of one profile document. It describes the shape; the
/// checks of [`Profile::parse`] go further.
#[must_use]
pub fn json_schema() -> serde_json::Value {
    schemars::schema_for!(Profile).to_value()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_committed_schema_is_the_generated_one() {
        let path = concat!(
            env!("CARGO_MANIFEST_DIR"),
            "/../../docs/reference/profile.schema.json"
        );
        let generated = format!(
            "{}\n",
            serde_json::to_string_pretty(&json_schema()).unwrap()
        );
        if std::env::var_os("UPDATE_REFERENCE").is_some() {
            std::fs::write(path, &generated).unwrap();
        }
        let committed = std::fs::read_to_string(path).unwrap();
        assert!(
            committed == generated,
            "docs/reference/profile.schema.json is out of date: run this test with UPDATE_REFERENCE=1"
        );
    }
}
