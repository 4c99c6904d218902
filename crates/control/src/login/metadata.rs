//! What servers (RFC 9728) and authorization servers (RFC 8414, OpenID Connect Discovery) say of
//! themselves, and where they say it. Members that are not read here are ignored, as both say.

use serde::Deserialize;

use super::error::{LoginError, refused, shown};
use super::limits::{ISSUERS, SCOPE_OCTETS};
use super::places::Places;
use super::target::Target;
use crate::endpoint::Endpoint;

/// What a server says of itself.
#[derive(Debug, Deserialize)]
pub(super) struct ResourceDocument {
    pub(super) resource: String,
    #[serde(default)]
    pub(super) authorization_servers: Vec<String>,
    pub(super) scopes_supported: Option<Vec<String>>,
    bearer_methods_supported: Option<Vec<String>>,
    #[serde(default)]
    dpop_bound_access_tokens_required: bool,
}

/// What an authorization server says of itself.
#[derive(Debug, Deserialize)]
pub(super) struct IssuerDocument {
    issuer: String,
    authorization_endpoint: Option<String>,
    token_endpoint: Option<String>,
    pub(super) registration_endpoint: Option<String>,
    device_authorization_endpoint: Option<String>,
    revocation_endpoint: Option<String>,
    code_challenge_methods_supported: Option<Vec<String>>,
    pub(super) token_endpoint_auth_methods_supported: Option<Vec<String>>,
    pub(super) scopes_supported: Option<Vec<String>>,
    #[serde(default)]
    pub(super) authorization_response_iss_parameter_supported: bool,
    #[serde(default)]
    pub(super) client_id_metadata_document_supported: bool,
}

impl ResourceDocument {
    /// Whether it describes this server, and tokens can be used there.
    pub(super) fn check(&self, target: &Target, places: &Places) -> Result<(), LoginError> {
        let other = || {
            refused(format!(
                "{} says that it is `{}`: a token for that could be used elsewhere; ask whoever runs the server",
                target.url(),
                shown(&self.resource)
            ))
        };
        let own = Endpoint::parse_near(&self.resource).map_err(|_| other())?;
        let server = places.server();
        let base = own.path().trim_end_matches('/');
        let below = server.path().strip_prefix(base);
        let is_below = below.is_some_and(|rest| rest.is_empty() || rest.starts_with('/'));
        if !own.is_beside(server) || own.query().is_some() || !is_below {
            return Err(other());
        }
        if self.dpop_bound_access_tokens_required {
            return Err(refused(
                "the server takes only tokens that are bound to a key (DPoP), which is not supported; ask whoever runs it for bearer tokens",
            ));
        }
        let methods = self.bearer_methods_supported.as_ref();
        if methods.is_some_and(|methods| !methods.iter().any(|it| it == "header")) {
            return Err(refused(
                "the server takes no token in a header, and none is sent in any other way; ask whoever runs it",
            ));
        }
        Ok(())
    }

    /// Its one authorization server, or that of several that the person has named.
    pub(super) fn issuer(&self, named: Option<&str>) -> Result<String, LoginError> {
        let known = &self.authorization_servers;
        let list = || {
            let list: Vec<String> = known.iter().take(ISSUERS).map(|it| shown(it)).collect();
            list.join(", ")
        };
        let found = match (known.as_slice(), named) {
            (_, Some(named)) => known.iter().find(|it| is_same(it, named)).ok_or_else(|| {
                LoginError::Given(format!(
                    "the server does not name {} as its authorization server, but {}",
                    shown(named),
                    list()
                ))
            })?,
            ([], None) => {
                return Err(refused(
                    "the server names no authorization server; ask whoever runs it, or seal a key: ringfence credential add --help",
                ));
            }
            ([only], None) => only,
            (_, None) => {
                return Err(LoginError::Given(format!(
                    "the server names several authorization servers: choose one with --issuer: {}",
                    list()
                )));
            }
        };
        Ok(found.clone())
    }
}

/// What a login needs of an authorization server.
#[derive(Debug)]
pub(super) struct Issuer {
    /// Exactly as it writes itself.
    pub(super) name: String,
    pub(super) token: Endpoint,
    pub(super) authorization: Option<Endpoint>,
    pub(super) device: Option<Endpoint>,
    pub(super) revocation: Option<Endpoint>,
    pub(super) has_challenges: bool,
    pub(super) document: IssuerDocument,
}

impl Issuer {
    /// Checks that a document is that of `wanted`, and where it leads.
    fn of(document: IssuerDocument, wanted: &str, places: &Places) -> Result<Self, LoginError> {
        if !is_same(&document.issuer, wanted) {
            return Err(refused(format!(
                "the authorization server is {}, but says that it is `{}`; ask whoever runs the server",
                shown(wanted),
                shown(&document.issuer)
            )));
        }
        let token = document.token_endpoint.as_deref().ok_or_else(|| {
            refused("the authorization server has no token endpoint; ask whoever runs the server")
        })?;
        let read = |what, text: &Option<String>| {
            let text = text.as_deref();
            text.map(|text| places.read(what, text)).transpose()
        };
        let authorization = document.authorization_endpoint.as_deref();
        let authorization = authorization
            .map(|text| places.read_for_browser("where the browser is led", text))
            .transpose()?;
        let methods = document.code_challenge_methods_supported.as_ref();
        Ok(Self {
            token: places.read("the token endpoint", token)?,
            authorization,
            device: read(
                "the device endpoint",
                &document.device_authorization_endpoint,
            )?,
            revocation: read("the revocation endpoint", &document.revocation_endpoint)?,
            has_challenges: methods.is_some_and(|them| them.iter().any(|it| it == "S256")),
            name: document.issuer.clone(),
            document,
        })
    }

    /// Asks at each place where the specification has it.
    pub(super) async fn find(wanted: &str, places: &Places) -> Result<Self, LoginError> {
        let base = places.read("the authorization server", wanted)?;
        if base.query().is_some() {
            return Err(refused(format!(
                "the authorization server `{}` has a query, which none has; ask whoever runs the server",
                shown(wanted)
            )));
        }
        for path in issuer_paths(base.path()) {
            if let Some(document) = places.metadata(&base.at(&path)).await? {
                return Self::of(document, wanted, places);
            }
        }
        Err(refused(format!(
            "{} does not say how it gives out tokens: there is no metadata (RFC 8414); ask whoever runs the server",
            shown(wanted)
        )))
    }
}

/// Where a server at this path describes itself, in the order of trying.
pub(super) fn resource_paths(path: &str) -> Vec<String> {
    const WELL_KNOWN: &str = "/.well-known/oauth-protected-resource";
    let own = path.trim_end_matches('/');
    let mut paths = vec![format!("{WELL_KNOWN}{own}")];
    if !own.is_empty() {
        paths.push(WELL_KNOWN.to_owned());
    }
    paths
}

/// Where an authorization server at this path describes itself, in the order of trying.
fn issuer_paths(path: &str) -> Vec<String> {
    const OAUTH: &str = "/.well-known/oauth-authorization-server";
    const OPENID: &str = "/.well-known/openid-configuration";
    let own = path.trim_end_matches('/');
    let mut paths = vec![format!("{OAUTH}{own}"), format!("{OPENID}{own}")];
    if !own.is_empty() {
        paths.push(format!("{own}{OPENID}"));
    }
    paths
}

/// Whether both are one authorization server. An empty path and `/` are one, by RFC 3986; all else
/// counts as written.
fn is_same(one: &str, other: &str) -> bool {
    let root = |text: &str| {
        let host = text
            .strip_suffix('/')
            .filter(|it| it.matches('/').count() == 2);
        host.unwrap_or(text).to_owned()
    };
    root(one) == root(other)
}

/// The scope that asks for a refresh token (OpenID Connect Core, section 11).
pub(super) const OFFLINE: &str = "offline_access";

/// The scopes to ask for: those that the person wants, else those of the challenge, else all that the
/// server has, else none. What gives out refresh tokens only with `offline_access` is asked for it.
pub(super) fn scope(
    given: Option<&str>,
    challenged: Option<&str>,
    resource: Option<&[String]>,
    issuer: &IssuerDocument,
) -> Result<Option<String>, LoginError> {
    let all = resource.map(|scopes| scopes.join(" "));
    let chosen = given.or(challenged).map(str::to_owned).or(all);
    let Some(mut chosen) = chosen.filter(|scope| !scope.is_empty()) else {
        return Ok(None);
    };
    let is_known = |scopes: &Vec<String>| scopes.iter().any(|it| it == OFFLINE);
    let is_offered = issuer.scopes_supported.as_ref().is_some_and(is_known);
    if given.is_none() && is_offered && !chosen.split(' ').any(|it| it == OFFLINE) {
        chosen.push(' ');
        chosen.push_str(OFFLINE);
    }
    let is_plain = |octet: u8| octet.is_ascii_graphic() && !b"\"\\".contains(&octet);
    let is_scope = |scope: &str| !scope.is_empty() && scope.bytes().all(is_plain);
    if chosen.len() <= SCOPE_OCTETS && chosen.split(' ').all(is_scope) {
        return Ok(Some(chosen));
    }
    Err(refused(
        "the scopes are not words with spaces between them, or too many; choose some with --scope",
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn metadata_is_looked_for_where_the_specifications_have_it() {
        assert_eq!(
            resource_paths("/a/mcp"),
            [
                "/.well-known/oauth-protected-resource/a/mcp",
                "/.well-known/oauth-protected-resource"
            ]
        );
        assert_eq!(
            resource_paths("/"),
            ["/.well-known/oauth-protected-resource"]
        );
        assert_eq!(
            issuer_paths("/tenant"),
            [
                "/.well-known/oauth-authorization-server/tenant",
                "/.well-known/openid-configuration/tenant",
                "/tenant/.well-known/openid-configuration"
            ]
        );
        assert_eq!(issuer_paths("/").len(), 2);
    }

    #[test]
    fn an_issuer_is_compared_as_it_is_written() {
        assert!(is_same("https://a.test", "https://a.test/"));
        for (one, other) in [
            ("https://a.test/x", "https://a.test/x/"),
            ("https://a.test", "https://a.test.evil.test"),
            ("https://a.test", "https://A.test"),
            ("https://a.test", "http://a.test"),
            ("https://a.test", "https://a.test//"),
        ] {
            assert!(!is_same(one, other), "{one} {other}");
        }
    }

    #[test]
    fn scopes_are_asked_for_in_their_order() {
        let issuer = |scopes: &str| -> IssuerDocument {
            let text = format!(r#"{{"issuer":"https://a.test","scopes_supported":{scopes}}}"#);
            serde_json::from_str(&text).unwrap()
        };
        let plain = issuer("[]");
        let all = ["c".to_owned(), "d".to_owned()];
        let of = |given, challenged, all| scope(given, challenged, all, &plain).unwrap();
        assert_eq!(of(Some("a"), Some("b"), Some(&all)).as_deref(), Some("a"));
        assert_eq!(of(None, Some("b"), Some(&all)).as_deref(), Some("b"));
        assert_eq!(of(None, None, Some(&all)).as_deref(), Some("c d"));
        assert_eq!(of(None, None, None), None);
        let offline = issuer(r#"["offline_access"]"#);
        let found = scope(None, Some("b"), None, &offline).unwrap();
        assert_eq!(found.as_deref(), Some("b offline_access"));
        for wrong in ["a  b", "a\"b", "a\\b", "a\nb", " a", "ä"] {
            assert!(scope(None, Some(wrong), None, &plain).is_err(), "{wrong}");
        }
        let long = "x".repeat(SCOPE_OCTETS + 1);
        assert!(scope(None, Some(&long), None, &plain).is_err());
    }
}
