//! Credentials that need no issuer: what is sealed is what is sent, or what signs.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use ringfence_gateway::{ClientCertificate, Injection, Material, SigV4, SshKey};
use ringfence_model::Secret;
use zeroize::Zeroizing;

use crate::credential::{Definition, Kind, Secrets};

/// What is injected, the value that takes a token's place, and what must be scrubbed.
struct Parts {
    injections: Vec<Injection>,
    value: Option<Secret>,
    secrets: Vec<Secret>,
}

/// The material of a credential of a kind without issuer; none where a secret or a setting that
/// the kind must have is not there.
pub(crate) fn material(definition: &Definition, secrets: &Secrets) -> Option<Material> {
    let parts = parts(definition, secrets)?;
    Some(Material {
        name: definition.name.clone(),
        version: definition.version,
        injections: parts.injections,
        value: parts.value,
        secrets: parts.secrets,
        minted: false,
    })
}

fn parts(definition: &Definition, secrets: &Secrets) -> Option<Parts> {
    match definition.kind {
        Kind::Header => {
            let value = secrets.get("value")?;
            let name = definition.setting("name")?.to_ascii_lowercase();
            let prefix = definition.setting("prefix").unwrap_or_default();
            let value_sent = joined(&[prefix.as_bytes(), value.expose()]);
            Some(single(header(name, value_sent), value))
        }
        Kind::Bearer => {
            let value = secrets.get("value")?;
            let sent = joined(&[b"Bearer ", value.expose()]);
            Some(single(header(AUTHORIZATION.to_owned(), sent), value))
        }
        Kind::Query => {
            let value = secrets.get("value")?;
            let injection = Injection::Query {
                name: definition.setting("name")?.to_owned(),
                value: value.clone(),
            };
            Some(single(injection, value))
        }
        Kind::Basic => basic(definition, secrets.get("password")?),
        Kind::AwsSigv4 => sigv4(definition, secrets),
        Kind::Mtls => certificate(secrets),
        Kind::SshKey => ssh_key(definition, secrets),
        Kind::Oauth2ClientCredentials
        | Kind::Oauth2RefreshToken
        | Kind::Oauth2Login
        | Kind::JwtBearer
        | Kind::GithubApp
        | Kind::AwsAssumeRole
        | Kind::AzureEntra
        | Kind::GcpServiceAccount => None,
    }
}

const AUTHORIZATION: &str = "authorization";

fn header(name: String, value: Secret) -> Injection {
    Injection::Header { name, value }
}

fn single(injection: Injection, value: &Secret) -> Parts {
    Parts {
        injections: vec![injection],
        value: Some(value.clone()),
        secrets: vec![value.clone()],
    }
}

fn basic(definition: &Definition, password: &Secret) -> Option<Parts> {
    let user = definition.setting("username").unwrap_or_default();
    let pair = joined(&[user.as_bytes(), b":", password.expose()]);
    let encoded = Zeroizing::new(STANDARD.encode(pair.expose()));
    let sent = joined(&[b"Basic ", encoded.as_bytes()]);
    Some(Parts {
        injections: vec![header(AUTHORIZATION.to_owned(), sent)],
        value: Some(password.clone()),
        // Encoded together with the user, the password has no encoding of its own to look for.
        secrets: vec![password.clone(), Secret::new(encoded.as_bytes())],
    })
}

fn sigv4(definition: &Definition, secrets: &Secrets) -> Option<Parts> {
    let secret_key = secrets.get("secret_key")?.clone();
    let session_token = secrets.get("session_token").cloned();
    let mut scrubbed = vec![secret_key.clone()];
    scrubbed.extend(session_token.clone());
    Some(Parts {
        injections: vec![Injection::SigV4(SigV4 {
            access_key: definition.setting("access_key")?.to_owned(),
            secret_key,
            session_token,
            region: definition.setting("region")?.to_owned(),
            service: definition.setting("service")?.to_owned(),
        })],
        value: None,
        secrets: scrubbed,
    })
}

fn certificate(secrets: &Secrets) -> Option<Parts> {
    let key = secrets.get("private_key")?.clone();
    let certificate = ClientCertificate {
        chain: secrets.get("certificate")?.expose().to_vec(),
        key: key.clone(),
    };
    Some(Parts {
        injections: vec![Injection::Certificate(certificate)],
        value: None,
        secrets: vec![key],
    })
}

fn ssh_key(definition: &Definition, secrets: &Secrets) -> Option<Parts> {
    let key = secrets.get("private_key")?.clone();
    let injection = SshKey {
        user: definition.setting("user").unwrap_or(GIT).to_owned(),
        key: key.clone(),
    };
    Some(Parts {
        injections: vec![Injection::SshKey(injection)],
        value: None,
        secrets: vec![key],
    })
}

/// The user that git servers have for everybody.
const GIT: &str = "git";

/// Written once, at its whole length, so that no copy is left behind by growing.
fn joined(parts: &[&[u8]]) -> Secret {
    let length = parts.iter().map(|part| part.len()).sum();
    let mut octets = Zeroizing::new(Vec::with_capacity(length));
    for part in parts {
        octets.extend_from_slice(part);
    }
    Secret::new(octets.as_slice())
}

#[cfg(test)]
mod tests;
