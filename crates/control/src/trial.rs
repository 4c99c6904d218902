//! One request with a credential, sent for a person who wants to see whether it works.

use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use ringfence_gateway::{
    CredentialError, Credentials, Injection, Material, Need, OutboundError, OwnRequest, OwnUrl,
};
use ringfence_model::{CredentialName, Secret};

use crate::broker::Broker;
use crate::endpoint::Endpoint;

/// Why there is no answer to tell of.
#[derive(Debug, thiserror::Error)]
pub enum TrialError {
    /// The URL.
    #[error("`{url}` cannot be asked: {reason}")]
    Url {
        /// What was given.
        url: String,
        /// What is wrong with it.
        reason: String,
    },
    /// The credential.
    #[error(transparent)]
    Credential(#[from] CredentialError),
    /// It signs or proves itself by certificate, which only the gateway does.
    #[error("a credential of this kind cannot be tried from here; use it in a run")]
    Kind,
    /// The upstream.
    #[error("no answer from the upstream")]
    Upstream(#[source] OutboundError),
}

pub(crate) async fn get(
    broker: &Broker,
    name: &CredentialName,
    url: &str,
) -> Result<u16, TrialError> {
    let endpoint = Endpoint::parse(url).map_err(|error| TrialError::Url {
        url: url.to_owned(),
        reason: error.to_string(),
    })?;
    let own = endpoint.url();
    let path = own.path_and_query.split('?').next().unwrap_or_default();
    let need = Need {
        name,
        destination: &own.destination,
        scheme: own.scheme,
        path,
    };
    let material = broker.material(need).await?;
    let request = request(own, &material)?;
    let outbound = broker.outbound(name).await?;
    let answer = outbound.send(request).await;
    Ok(answer.map_err(TrialError::Upstream)?.status)
}

fn request(mut url: OwnUrl, material: &Material) -> Result<OwnRequest, TrialError> {
    let mut headers = Vec::new();
    for injection in &material.injections {
        match injection {
            Injection::Header { name, value } => headers.push((name.clone(), value.clone())),
            Injection::Query { name, value } => add_parameter(&mut url, name, value),
            Injection::SigV4(_) | Injection::Certificate(_) | Injection::SshKey(_) => {
                return Err(TrialError::Kind);
            }
        }
    }
    Ok(OwnRequest {
        method: "GET".to_owned(),
        url,
        headers,
        body: Secret::new([]),
    })
}

fn add_parameter(url: &mut OwnUrl, name: &str, value: &Secret) {
    let separator = if url.path_and_query.contains('?') {
        '&'
    } else {
        '?'
    };
    url.path_and_query.push(separator);
    url.path_and_query
        .extend(utf8_percent_encode(name, NON_ALPHANUMERIC));
    url.path_and_query.push('=');
    let encoded = percent_encoding::percent_encode(value.expose(), NON_ALPHANUMERIC);
    url.path_and_query.extend(encoded);
}
