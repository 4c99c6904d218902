//! Azure Resource Manager.

use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::{Value, json};

use super::{Asking, entries};
use crate::error::CallError;
use crate::http::Base;
use crate::limits::CLOUD_PAGES;
use crate::template::Arguments;

/// Directories and subscriptions.
pub(super) async fn whoami(asking: &Asking<'_>) -> Result<Value, CallError> {
    let tenants = get(asking, format!("/tenants?api-version={ACCOUNTS}")).await?;
    let subscriptions = get(asking, format!("/subscriptions?api-version={ACCOUNTS}")).await?;
    Ok(json!({
        "tenants": entries(&tenants, "value", TENANT),
        "subscriptions": entries(&subscriptions, "value", SUBSCRIPTION),
    }))
}

/// Subscriptions.
pub(super) async fn subscriptions(asking: &Asking<'_>) -> Result<Value, CallError> {
    let target = format!("/subscriptions?api-version={ACCOUNTS}");
    list(asking, target, "subscriptions", SUBSCRIPTION).await
}

/// Resources of a subscription or a resource group, of one type where it is named.
pub(super) async fn resources(
    asking: &Asking<'_>,
    arguments: &Arguments,
) -> Result<Value, CallError> {
    let text = |name: &str| arguments.get(name).and_then(Value::as_str);
    let subscription = text("subscription").unwrap_or_default();
    let group = match text("resourceGroup") {
        Some(group) => format!("/resourceGroups/{group}"),
        None => String::new(),
    };
    let filter = match text("type") {
        Some(kind) => {
            let filter = format!("resourceType eq '{kind}'");
            format!(
                "&$filter={}",
                utf8_percent_encode(&filter, NON_ALPHANUMERIC)
            )
        }
        None => String::new(),
    };
    let target =
        format!("/subscriptions/{subscription}{group}/resources?api-version={RESOURCES}{filter}");
    list(asking, target, "resources", RESOURCE).await
}

/// All pages of a list, up to a bound.
async fn list(
    asking: &Asking<'_>,
    mut target: String,
    name: &str,
    names: &[(&str, &str)],
) -> Result<Value, CallError> {
    let mut found = Vec::new();
    for _ in 0..CLOUD_PAGES {
        let page = get(asking, target).await?;
        found.extend(entries(&page, "value", names));
        match page.get("nextLink").and_then(Value::as_str).map(next) {
            Some(Some(next)) => target = next,
            Some(None) => {
                return Err(CallError::new(
                    "the next page is not where the first one was",
                ));
            }
            None => return Ok(json!({ name: found, "isComplete": true })),
        }
    }
    Ok(json!({ name: found, "isComplete": false }))
}

/// Path and query of the next page, where it is at the same place.
pub(super) fn next(link: &str) -> Option<String> {
    let (base, target) = Base::read(link).ok()?;
    let is_plain = target.bytes().all(|octet| octet.is_ascii_graphic());
    let is_same = base.is_https && base.host == HOST && base.port == 443;
    (is_same && is_plain && target.starts_with('/')).then(|| target.to_owned())
}

async fn get(asking: &Asking<'_>, target: String) -> Result<Value, CallError> {
    asking.get(HOST, target, "AZURE_ACCESS_TOKEN").await
}

/// What stands in a path or in a filter cannot be more than a name.
pub(super) fn resource_arguments() -> Value {
    json!({
        "properties": {
            "subscription": {
                "type": "string", "pattern": "^[A-Za-z0-9-]{1,64}$",
                "description": "The id of the subscription; azure_list_subscriptions has them.",
            },
            "resourceGroup": {
                "type": "string", "pattern": "^[A-Za-z0-9_()-][A-Za-z0-9_.()-]{0,89}$",
                "description": "The name of a resource group.",
            },
            "type": {
                "type": "string", "pattern": "^[A-Za-z0-9]+(\\.[A-Za-z0-9]+)*(/[A-Za-z0-9]+){1,4}$",
                "description": "A type of resources, as in Microsoft.Storage/storageAccounts.",
            },
        },
        "required": ["subscription"],
    })
}

const HOST: &str = "management.azure.com";
const ACCOUNTS: &str = "2022-12-01";
const RESOURCES: &str = "2021-04-01";

const TENANT: &[(&str, &str)] = &[
    ("tenantId", "id"),
    ("displayName", "name"),
    ("defaultDomain", "domain"),
];
const SUBSCRIPTION: &[(&str, &str)] = &[
    ("subscriptionId", "id"),
    ("displayName", "name"),
    ("state", "state"),
    ("tenantId", "tenant"),
];
const RESOURCE: &[(&str, &str)] = &[
    ("id", "id"),
    ("name", "name"),
    ("type", "type"),
    ("location", "location"),
];
