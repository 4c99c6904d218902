//! Issuers of access tokens, and services that check what they are called with, faithful on the
//! wire where clients look. Each checks by its own code, written from the specification, so that a
//! mistake in what is tested is not repeated here.

pub mod authorization;
pub mod aws;
pub mod entra;
pub mod github_app;
pub mod google;
pub mod jwt;
pub mod keys;
pub mod oauth;
pub mod salesforce;
pub mod vault;

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use serde_json::{Value, json};

use crate::api::{ApiRequest, ApiResponse};

/// The client that the OAuth servers know.
pub const CLIENT_ID: &str = "agent-of-acme";

/// Its secret. Every character that an encoding could get wrong is in it.
pub const CLIENT_SECRET: &str = "cl1ent+s3cret/with=&%:and space~";

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The token of `Authorization: Bearer`.
fn bearer(request: &ApiRequest) -> Option<&str> {
    request.header("authorization")?.strip_prefix("Bearer ")
}

/// Whether the body says that it is a form.
fn is_form(request: &ApiRequest) -> bool {
    let kind = request.header("content-type").unwrap_or_default();
    kind.split(';').next() == Some("application/x-www-form-urlencoded")
}

/// The host that was asked for, without port.
fn host(request: &ApiRequest) -> &str {
    let host = request.header("host").unwrap_or_default();
    host.split(':').next().unwrap_or_default()
}

/// The parameters of the query, decoded.
fn query(request: &ApiRequest) -> HashMap<String, String> {
    // A form and a query are written alike, so the form's own reader reads it.
    let as_form = ApiRequest {
        body: request.query.clone().into_bytes(),
        ..request.clone()
    };
    let names = request
        .query
        .split('&')
        .filter_map(|pair| pair.split('=').next());
    names
        .filter_map(|name| Some((name.to_owned(), as_form.form(name)?)))
        .collect()
}

/// The error of RFC 6749, section 5.2.
fn oauth_error(status: u16, code: &str, description: &str) -> ApiResponse {
    let body = json!({"error": code, "error_description": description});
    never_stored(ApiResponse::json(status, &body))
}

/// An answer with a token, as RFC 6749, section 5.1 wants it marked.
fn granted(body: &Value) -> ApiResponse {
    never_stored(ApiResponse::json(200, body))
}

fn never_stored(response: ApiResponse) -> ApiResponse {
    response
        .with("Cache-Control", "no-store")
        .with("Pragma", "no-cache")
}

#[cfg(test)]
mod tests;
