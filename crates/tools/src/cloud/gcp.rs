//! Google Cloud: who, and which projects.

use serde_json::{Value, json};

use super::{Asking, entries, fields};
use crate::error::CallError;

/// Account and projects. A service account need not be allowed to see both.
pub(super) async fn whoami(asking: &Asking<'_>) -> Result<Value, CallError> {
    let account = get(asking, "openidconnect.googleapis.com", "/v1/userinfo").await;
    let projects = get(
        asking,
        "cloudresourcemanager.googleapis.com",
        "/v1/projects?pageSize=100",
    )
    .await;
    if let (Err(error), Err(_)) = (&account, &projects) {
        return Err(error.clone());
    }
    Ok(json!({
        "account": shown(account, |it| fields(it, ACCOUNT)),
        "projects": shown(projects, |it| json!(entries(it, "projects", PROJECT))),
    }))
}

async fn get(asking: &Asking<'_>, host: &str, target: &str) -> Result<Value, CallError> {
    asking
        .get(host, target.to_owned(), "GOOGLE_ACCESS_TOKEN")
        .await
}

fn shown(found: Result<Value, CallError>, plain: impl Fn(&Value) -> Value) -> Value {
    match found {
        Ok(value) => plain(&value),
        Err(error) => json!({ "refused": error.to_string() }),
    }
}

const ACCOUNT: &[(&str, &str)] = &[("sub", "id"), ("email", "email")];
const PROJECT: &[(&str, &str)] = &[
    ("projectId", "id"),
    ("name", "name"),
    ("lifecycleState", "state"),
];
