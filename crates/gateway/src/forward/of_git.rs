//! How git servers want a token: most take it as a password alone, with a user name of their own.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::header::{AUTHORIZATION, HeaderMap, HeaderValue};
use ringfence_model::Secret;
use ringfence_model::git::UpstreamKind;

/// Makes Basic authentication of a bearer token, for a server that does not take one over git.
pub(super) fn authenticate(headers: &mut HeaderMap, kind: UpstreamKind) {
    let Some(user) = user(kind) else {
        return;
    };
    let value = headers.get(AUTHORIZATION).map(HeaderValue::as_bytes);
    let Some(token) = value.and_then(|value| value.strip_prefix(b"Bearer ")) else {
        return;
    };
    let pair = Secret::new([user.as_bytes(), b":", token].concat());
    let basic = format!("Basic {}", STANDARD.encode(pair.expose()));
    // Base64 always fits into a field.
    if let Ok(mut value) = HeaderValue::try_from(basic) {
        value.set_sensitive(true);
        headers.insert(AUTHORIZATION, value);
    }
}

/// The user name beside a token, as the servers' documentation has it; none where a bearer token is
/// taken as it is.
const fn user(kind: UpstreamKind) -> Option<&'static str> {
    match kind {
        UpstreamKind::Github | UpstreamKind::Gitea => Some("x-access-token"),
        UpstreamKind::Gitlab => Some("oauth2"),
        UpstreamKind::Bitbucket => Some("x-token-auth"),
        UpstreamKind::GenericHttps | UpstreamKind::AzureDevops | UpstreamKind::Ssh => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bearer_token_is_a_password_where_the_server_wants_one() {
        for (kind, given, sent) in [
            (
                UpstreamKind::Github,
                "Bearer abc",
                "Basic eC1hY2Nlc3MtdG9rZW46YWJj",
            ),
            (UpstreamKind::Gitlab, "Bearer abc", "Basic b2F1dGgyOmFiYw=="),
            (UpstreamKind::AzureDevops, "Bearer abc", "Bearer abc"),
            (UpstreamKind::Github, "Basic eDp5", "Basic eDp5"),
        ] {
            let mut headers = HeaderMap::new();
            headers.insert(AUTHORIZATION, HeaderValue::from_static(given));
            authenticate(&mut headers, kind);
            assert_eq!(headers[AUTHORIZATION], sent, "{kind:?}");
        }
    }
}
