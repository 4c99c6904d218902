//! AWS Security Token Service. The gateway signs the request.

use serde_json::Value;

use super::{Asking, fields};
use crate::error::CallError;
use crate::template::Arguments;

/// Account and principal.
pub(super) async fn whoami(asking: &Asking<'_>, arguments: &Arguments) -> Result<Value, CallError> {
    let region = arguments
        .get("region")
        .and_then(Value::as_str)
        .unwrap_or("us-east-1");
    let host = format!("sts.{region}.amazonaws.com");
    let answer = asking
        .get(&host, TARGET.to_owned(), "AWS_ACCESS_TOKEN")
        .await?;
    let result = answer.pointer("/GetCallerIdentityResponse/GetCallerIdentityResult");
    let result = result.ok_or_else(|| CallError::new(format!("{host} did not say who it is")))?;
    Ok(fields(
        result,
        &[
            ("Account", "account"),
            ("Arn", "principal"),
            ("UserId", "id"),
        ],
    ))
}

/// A GET, so that a rule can say by its query that nothing else is asked.
const TARGET: &str = "/?Action=GetCallerIdentity&Version=2011-06-15";

/// A region is one label of a host, and nothing else.
pub(super) const REGION: &str = "^[a-z]{2}(-[a-z]{1,12}){1,3}-[0-9]{1,2}$";
