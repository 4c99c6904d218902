//! Git servers that a profile describes, beside those that are known from the start.

use std::num::NonZeroU16;

use ringfence_model::git::{GitUpstream, UpstreamKind, UpstreamName};
use ringfence_model::{CredentialName, Destination, Host, HostName, Scheme};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::super::Cidr;
use super::super::api::SchemeWord;
use super::super::rule::present;

/// A git server, by the name that rules call it by.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct GitUpstreamTerms {
    /// The first part of the names of its repositories: 1 to 32 lower-case letters, digits or `-`.
    #[schemars(with = "String", regex(pattern = "^[a-z0-9][a-z0-9-]{0,31}$"))]
    pub name: UpstreamName,
    /// How it names repositories, and how it wants a credential.
    #[schemars(with = "UpstreamKindWord")]
    pub kind: UpstreamKind,
    /// Its host.
    #[schemars(with = "String")]
    pub host: HostName,
    /// Its TCP port. Without one: 443, 80 with `scheme: http`, 22 with `kind: ssh`.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        deserialize_with = "present"
    )]
    #[schemars(with = "NonZeroU16")]
    pub port: Option<NonZeroU16>,
    /// `https` (the default) or `http`. Not with `kind: ssh`.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        deserialize_with = "present"
    )]
    #[schemars(with = "SchemeWord")]
    pub scheme: Option<Scheme>,
    /// What stands before every repository in a path, as in `/scm`.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        deserialize_with = "present"
    )]
    #[schemars(with = "String", regex(pattern = "^(/[A-Za-z0-9._-]+)+$"))]
    pub base_path: Option<String>,
    /// The credential for it, where a rule names none.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        deserialize_with = "present"
    )]
    #[schemars(with = "String")]
    pub credential: Option<CredentialName>,
    /// With `kind: ssh`: the keys of the server, of which it must have one, as in
    /// `ssh-ed25519 AAAA…`.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        deserialize_with = "present"
    )]
    #[schemars(with = "Vec<String>")]
    pub host_keys: Option<Vec<String>>,
    /// Networks that the host may resolve into. Without the list: public addresses only.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        deserialize_with = "present"
    )]
    #[schemars(with = "Vec<Cidr>")]
    pub addresses: Option<Vec<Cidr>>,
}

impl GitUpstreamTerms {
    /// The server in the words of the vocabulary.
    #[must_use]
    pub fn upstream(&self) -> GitUpstream {
        let scheme = self.scheme.unwrap_or(Scheme::Https);
        let usual = match (self.kind, scheme) {
            (UpstreamKind::Ssh, _) => 22,
            (_, Scheme::Http) => 80,
            (_, Scheme::Https) => 443,
        };
        GitUpstream {
            name: self.name.clone(),
            kind: self.kind,
            destination: Destination {
                host: Host::Name(self.host.clone()),
                port: self.port.map_or(usual, NonZeroU16::get),
            },
            scheme,
            base_path: self.base_path.clone().unwrap_or_default(),
            credential: self.credential.clone(),
            host_keys: self.host_keys.clone().unwrap_or_default(),
        }
    }
}

/// The kinds of servers, for the schema of the document.
#[derive(JsonSchema)]
#[schemars(rename_all = "kebab-case")]
#[expect(
    dead_code,
    reason = "only its schema is used: the vocabulary's own type has none"
)]
enum UpstreamKindWord {
    GenericHttps,
    Github,
    Gitlab,
    Gitea,
    Bitbucket,
    AzureDevops,
    Ssh,
}
