//! The kinds of credentials. One table (`table.rs`) says which settings and secret fields each has:
//! `add` checks by it, `--help` and the documentation are made from it.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use crate::limits::SETTING_OCTETS;

/// What a credential is made of and how it gets into a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    /// A header with a fixed value.
    Header,
    /// `Authorization: Bearer`.
    Bearer,
    /// `Authorization: Basic`.
    Basic,
    /// A parameter of the query.
    Query,
    /// OAuth 2.0, grant `client_credentials` (RFC 6749, section 4.4).
    Oauth2ClientCredentials,
    /// OAuth 2.0, grant `refresh_token` (RFC 6749, section 6).
    Oauth2RefreshToken,
    /// OAuth 2.1, what a person's login gave (`ringfence mcp login`).
    Oauth2Login,
    /// OAuth 2.0, grant `jwt-bearer` (RFC 7523).
    JwtBearer,
    /// An installation token of a GitHub App.
    GithubApp,
    /// AWS Signature Version 4.
    AwsSigv4,
    /// The same with temporary keys of a role (AWS STS, `AssumeRole`).
    AwsAssumeRole,
    /// Microsoft Entra ID, client credentials.
    AzureEntra,
    /// An access token of a Google Cloud service account.
    GcpServiceAccount,
    /// A client certificate.
    Mtls,
    /// A private key for git over SSH.
    SshKey,
}

/// A setting or a secret field of a kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Field {
    /// Its name.
    pub name: &'static str,
    /// Whether a credential of the kind must have it.
    pub is_required: bool,
    /// What it is, for people.
    pub about: &'static str,
}

/// Why settings do not fit a kind.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SettingsError {
    /// There is no such kind.
    #[error("there is no kind `{name}` of credentials; there are {kinds}")]
    Kind {
        /// What was given.
        name: String,
        /// All kinds.
        kinds: String,
    },
    /// The kind has no such setting.
    #[error("a credential of kind {kind} has no setting `{name}`; it has {settings}")]
    Unknown {
        /// The kind.
        kind: Kind,
        /// What was given.
        name: String,
        /// What the kind has.
        settings: String,
    },
    /// It is secret, so it must not be a setting.
    #[error("`{name}` is a secret of kind {kind}: give it on standard input or with --secret-file")]
    Secret {
        /// The kind.
        kind: Kind,
        /// What was given.
        name: String,
    },
    /// A required setting is not there.
    #[error("a credential of kind {kind} needs --set {name}=…: {about}")]
    Missing {
        /// The kind.
        kind: Kind,
        /// The setting.
        name: &'static str,
        /// What it is.
        about: &'static str,
    },
    /// A value that cannot be one.
    #[error("the setting `{name}` is not usable: {why}")]
    Value {
        /// The setting.
        name: String,
        /// What is wrong with it.
        why: &'static str,
    },
}

impl Kind {
    /// All kinds, in the order of the documentation.
    pub const ALL: [Self; 15] = [
        Self::Header,
        Self::Bearer,
        Self::Basic,
        Self::Query,
        Self::Oauth2ClientCredentials,
        Self::Oauth2RefreshToken,
        Self::Oauth2Login,
        Self::JwtBearer,
        Self::GithubApp,
        Self::AwsSigv4,
        Self::AwsAssumeRole,
        Self::AzureEntra,
        Self::GcpServiceAccount,
        Self::Mtls,
        Self::SshKey,
    ];

    /// As it is written everywhere.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        self.row().name
    }

    /// What it is, for people.
    #[must_use]
    pub const fn about(self) -> &'static str {
        self.row().about
    }

    /// Its public settings.
    #[must_use]
    pub const fn settings(self) -> &'static [Field] {
        self.row().settings
    }

    /// Its secret fields. The first is the one that a single value is for.
    #[must_use]
    pub const fn secrets(self) -> &'static [Field] {
        self.row().secrets
    }

    /// Whether an issuer is asked for what goes into a request.
    #[must_use]
    pub const fn is_minted(self) -> bool {
        matches!(
            self,
            Self::Oauth2ClientCredentials
                | Self::Oauth2RefreshToken
                | Self::Oauth2Login
                | Self::JwtBearer
                | Self::GithubApp
                | Self::AwsAssumeRole
                | Self::AzureEntra
                | Self::GcpServiceAccount
        )
    }

    /// Whether its issuer may give out something that it takes once, so that one process at a time
    /// asks.
    #[must_use]
    pub const fn is_used_up(self) -> bool {
        matches!(self, Self::Oauth2RefreshToken | Self::Oauth2Login)
    }

    /// A host as it was given, with the port of SSH where it has none and the kind is for SSH.
    #[must_use]
    pub fn place(self, host: &str) -> String {
        match self {
            Self::SshKey if !host.contains(':') => format!("{host}:{SSH_PORT}"),
            _ => host.to_owned(),
        }
    }

    /// Whether the settings are those of the kind.
    ///
    /// # Errors
    /// Where one is unknown, missing or not usable.
    pub fn check(self, settings: &BTreeMap<String, String>) -> Result<(), SettingsError> {
        for (name, value) in settings {
            self.check_setting(name, value)?;
        }
        let missing = self.settings().iter().find(|field| {
            field.is_required && settings.get(field.name).is_none_or(String::is_empty)
        });
        missing.map_or(Ok(()), |field| {
            Err(SettingsError::Missing {
                kind: self,
                name: field.name,
                about: field.about,
            })
        })
    }

    fn check_setting(self, name: &str, value: &str) -> Result<(), SettingsError> {
        if !self.settings().iter().any(|field| field.name == name) {
            let name = name.to_owned();
            if self.secrets().iter().any(|field| field.name == name) {
                return Err(SettingsError::Secret { kind: self, name });
            }
            return Err(SettingsError::Unknown {
                kind: self,
                name,
                settings: names(self.settings()),
            });
        }
        let why = if value.len() > SETTING_OCTETS {
            "it is too long"
        } else if value.chars().any(char::is_control) {
            "it holds a control character"
        } else if self == Self::Header && name == "name" && !is_free_header(value) {
            "it is not the name of a header that a credential may set"
        } else if self == Self::SshKey && name == "user" && !is_user(value) {
            "it is not the name of a user: letters, digits and `._-@`"
        } else {
            return Ok(());
        };
        Err(SettingsError::Value {
            name: name.to_owned(),
            why,
        })
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for Kind {
    type Err = SettingsError;

    fn from_str(text: &str) -> Result<Self, SettingsError> {
        let found = Self::ALL.into_iter().find(|kind| kind.as_str() == text);
        found.ok_or_else(|| SettingsError::Kind {
            name: text.to_owned(),
            kinds: Self::ALL.map(Self::as_str).join(", "),
        })
    }
}

/// A token (RFC 9110, section 5.6.2) that neither frames the message nor says where it goes.
fn is_free_header(name: &str) -> bool {
    const TAKEN: [&str; 9] = [
        "connection",
        "content-length",
        "expect",
        "host",
        "keep-alive",
        "te",
        "trailer",
        "transfer-encoding",
        "upgrade",
    ];
    let is_token = |octet: u8| octet.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&octet);
    name.bytes().all(is_token) && !TAKEN.contains(&name.to_ascii_lowercase().as_str())
}

/// A name that no server reads as anything else.
fn is_user(name: &str) -> bool {
    let is_plain = |octet: u8| octet.is_ascii_alphanumeric() || b"._-@".contains(&octet);
    name.bytes().all(is_plain) && !name.starts_with('-')
}

const SSH_PORT: u16 = 22;

fn names(fields: &[Field]) -> String {
    if fields.is_empty() {
        return "none".to_owned();
    }
    fields
        .iter()
        .map(|field| field.name)
        .collect::<Vec<_>>()
        .join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
        let owned = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
        pairs.iter().map(owned).collect()
    }

    #[test]
    fn every_kind_has_its_own_name_and_a_required_secret_first() {
        for kind in Kind::ALL {
            assert_eq!(kind.as_str().parse::<Kind>(), Ok(kind));
            let first = kind.secrets().first().unwrap();
            // An application of Entra ID has a secret or a certificate, a login one token or the other.
            let has_choice = matches!(kind, Kind::AzureEntra | Kind::Oauth2Login);
            assert_eq!(first.is_required, !has_choice);
        }
    }

    #[test]
    fn a_setting_is_one_of_the_kinds_own() {
        let check = |pairs| Kind::Header.check(&settings(pairs));
        assert_eq!(check(&[("name", "x-api-key")]), Ok(()));
        assert!(matches!(check(&[]), Err(SettingsError::Missing { .. })));
        assert!(matches!(
            check(&[("name", "")]),
            Err(SettingsError::Missing { .. })
        ));
        assert!(matches!(
            check(&[("name", "a"), ("value", "s3cret")]),
            Err(SettingsError::Secret { .. })
        ));
        assert!(matches!(
            check(&[("name", "a"), ("color", "red")]),
            Err(SettingsError::Unknown { .. })
        ));
        assert!(matches!(
            check(&[("name", "a\r\nb")]),
            Err(SettingsError::Value { .. })
        ));
    }

    #[test]
    fn a_header_that_frames_the_message_is_no_credential() {
        for name in ["Host", "content-length", "a b", "a:b", "Transfer-Encoding"] {
            let found = Kind::Header.check(&settings(&[("name", name)]));
            assert!(matches!(found, Err(SettingsError::Value { .. })), "{name}");
        }
    }

    #[test]
    fn a_key_for_ssh_is_for_the_port_of_ssh_and_a_plain_user() {
        assert_eq!(Kind::SshKey.place("git.test"), "git.test:22");
        assert_eq!(Kind::SshKey.place("git.test:2222"), "git.test:2222");
        assert_eq!(Kind::Bearer.place("git.test"), "git.test");
        let check = |user| Kind::SshKey.check(&settings(&[("user", user)]));
        assert_eq!(check("git"), Ok(()));
        for user in ["-oProxyCommand=x", "a b", "$(id)", "a;b"] {
            assert!(
                matches!(check(user), Err(SettingsError::Value { .. })),
                "{user}"
            );
        }
    }

    #[test]
    fn an_empty_list_of_repositories_is_not_all_of_them() {
        let found = Kind::GithubApp.check(&settings(&[
            ("app_id", "1"),
            ("installation_id", "2"),
            ("repositories", ""),
            ("permissions", "metadata:read"),
        ]));
        assert!(matches!(
            found,
            Err(SettingsError::Missing {
                name: "repositories",
                ..
            })
        ));
    }

    #[test]
    fn an_unknown_kind_is_told_which_there_are() {
        let error = "password".parse::<Kind>().unwrap_err().to_string();
        assert!(error.contains("bearer, basic"), "{error}");
    }
}
