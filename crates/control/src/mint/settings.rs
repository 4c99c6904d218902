//! The settings and secrets that a plan is read from.

use percent_encoding::percent_decode_str;
use ringfence_model::Secret;

use super::MintError;
use crate::credential::{Definition, Secrets};
use crate::endpoint::Endpoint;

/// A credential with its secrets, to be read.
#[derive(Clone, Copy)]
pub(super) struct Given<'a> {
    pub(super) definition: &'a Definition,
    secrets: &'a Secrets,
}

impl<'a> Given<'a> {
    pub(super) fn new(definition: &'a Definition, secrets: &'a Secrets) -> Self {
        Self {
            definition,
            secrets,
        }
    }

    pub(super) fn setting(&self, name: &str) -> Option<&'a str> {
        self.definition.setting(name)
    }

    pub(super) fn required(&self, name: &str) -> Result<&'a str, MintError> {
        self.setting(name)
            .ok_or_else(|| MintError::Settings(format!("the setting `{name}` is missing")))
    }

    /// A URL, by default this one.
    pub(super) fn endpoint(&self, name: &str, default: &str) -> Result<Endpoint, MintError> {
        let text = self.setting(name).unwrap_or(default);
        Endpoint::parse(text).map_err(|error| unusable(name, &error.to_string()))
    }

    pub(super) fn secret(&self, name: &str) -> Option<&'a Secret> {
        let secret = self.secrets.get(name)?;
        Some(secret).filter(|secret| !secret.expose().is_empty())
    }

    pub(super) fn required_secret(&self, name: &str) -> Result<&'a Secret, MintError> {
        self.secret(name)
            .ok_or_else(|| MintError::NoSecret(format!("the secret `{name}` is missing")))
    }

    /// Further fields of a request, in the setting `parameters` as `NAME=VALUE&NAME=VALUE`, with
    /// percent-encoding. None may be one of the grant's own.
    pub(super) fn parameters(&self) -> Result<Vec<(String, String)>, MintError> {
        let text = self.setting("parameters").unwrap_or_default();
        let pairs = text.split('&').filter(|pair| !pair.is_empty());
        pairs.map(parameter).collect()
    }
}

fn parameter(pair: &str) -> Result<(String, String), MintError> {
    let wrong = |why| unusable("parameters", why);
    let decode = |text: &str| {
        let decoded = percent_decode_str(text).decode_utf8();
        decoded
            .map(String::from)
            .map_err(|_| wrong("it is not UTF-8"))
    };
    let (name, value) = pair
        .split_once('=')
        .ok_or_else(|| wrong("it is NAME=VALUE&NAME=VALUE"))?;
    let (name, value) = (decode(name)?, decode(value)?);
    if name.is_empty() || OWN.contains(&name.as_str()) {
        return Err(wrong(
            "a name is empty, or one that Ringfence sets by itself",
        ));
    }
    Ok((name, value))
}

/// The fields of a token request that have a setting or a secret of their own.
const OWN: [&str; 12] = [
    "grant_type",
    "client_id",
    "client_secret",
    "client_assertion",
    "client_assertion_type",
    "assertion",
    "refresh_token",
    "scope",
    "audience",
    "resource",
    "username",
    "password",
];

/// That a setting or a secret cannot be used; `why` holds nothing of a secret.
pub(super) fn unusable(name: &str, why: &str) -> MintError {
    MintError::Settings(format!("`{name}`: {why}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_parameter_is_decoded_and_never_one_of_the_grants_own() {
        let found = parameter("tenant=a%26b=c").unwrap();
        assert_eq!(found, ("tenant".to_owned(), "a&b=c".to_owned()));
        for pair in [
            "tenant",
            "=a",
            "grant_type=password",
            "grant%5Ftype=x",
            "client_secret=x",
            "a=%ff",
        ] {
            assert!(parameter(pair).is_err(), "{pair}");
        }
    }
}
