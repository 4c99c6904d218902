//! Which fields of a request and of a response go on. What speaks about one connection stays on
//! it; what would make the upstream see another request than the one that was decided on goes
//! nowhere.

use std::borrow::Cow;

use http::header::{
    ACCEPT_RANGES, ALT_SVC, CONNECTION, CONTENT_LENGTH, COOKIE, EXPECT, HOST, HeaderMap,
    HeaderName, HeaderValue, TE, TRAILER, TRANSFER_ENCODING, UPGRADE,
};
use percent_encoding::percent_decode_str;

/// Fields of one connection (RFC 9110, section 7.6.1) beyond those that `Connection` names.
const HOP_BY_HOP: [&str; 9] = [
    "connection",
    "keep-alive",
    "proxy-connection",
    "proxy-authenticate",
    "proxy-authentication-info",
    "te",
    "transfer-encoding",
    "upgrade",
    "http2-settings",
];

/// Fields by which some servers take another method or another target than the request line's.
const OVERRIDES: [&str; 23] = [
    "forwarded",
    "x-accel-redirect",
    "x-envoy-original-method",
    "x-envoy-original-path",
    "x-forwarded-host",
    "x-forwarded-method",
    "x-forwarded-path",
    "x-forwarded-prefix",
    "x-forwarded-server",
    "x-forwarded-uri",
    "x-host",
    "x-http-host-override",
    "x-http-method",
    "x-http-method-override",
    "x-method",
    "x-method-override",
    "x-original-host",
    "x-original-method",
    "x-original-path",
    "x-original-uri",
    "x-original-url",
    "x-rewrite-uri",
    "x-rewrite-url",
];

/// Fields by which some servers act for another user than the one who asks, or on another object
/// than the path's. A request without them is another request, so they are not dropped.
const SUBSTITUTES: [&str; 11] = [
    "destination",
    "sudo",
    "x-amz-copy-source",
    "x-amz-rename-source",
    "x-cos-copy-source",
    "x-goog-copy-source",
    "x-ms-copy-source",
    "x-ms-rename-source",
    "x-obs-copy-source",
    "x-oss-copy-source",
    "x-remote-user",
];

/// How such fields of some servers begin.
const SUBSTITUTE_PREFIXES: [&str; 2] = ["impersonate-", "x-remote-extra-"];

/// Parameters of a query that some servers take for the method, or for who asks.
const SUBSTITUTE_PARAMETERS: [&str; 2] = ["_method", "sudo"];

/// Fields by which clients authenticate themselves.
const AUTHENTICATION: [&str; 26] = [
    "authorization",
    "proxy-authorization",
    "x-authorization",
    "x-forwarded-authorization",
    "x-ms-authorization-auxiliary",
    "api-key",
    "apikey",
    "x-api-key",
    "x-apikey",
    "x-api-token",
    "x-auth-key",
    "x-auth-token",
    "x-access-token",
    "x-session-token",
    "x-github-otp",
    "x-goog-api-key",
    "x-goog-iam-authorization-token",
    "x-amz-security-token",
    "x-amz-content-sha256",
    "x-amz-date",
    "private-token",
    "job-token",
    "deploy-token",
    "x-vault-token",
    "ocp-apim-subscription-key",
    "cookie",
];

/// Parameters of a query by which clients authenticate themselves.
const AUTHENTICATION_PARAMETERS: [&str; 20] = [
    "access_token",
    "access-token",
    "accesstoken",
    "api_key",
    "api-key",
    "apikey",
    "auth_token",
    "oauth_token",
    "private_token",
    "job_token",
    "subscription-key",
    "x-amz-algorithm",
    "x-amz-date",
    "x-amz-expires",
    "x-amz-signedheaders",
    "x-amz-signature",
    "x-amz-credential",
    "x-amz-security-token",
    "x-goog-signature",
    "x-goog-credential",
];

/// Takes out of a request what does not go on: fields of the client's connection, and those that
/// would change what was decided on. `TE: trailers` stays for HTTP/2.
pub(super) fn clean_request(headers: &mut HeaderMap) {
    let trailers = headers
        .get(TE)
        .is_some_and(|value| value.as_bytes().eq_ignore_ascii_case(b"trailers"));
    drop_hop_by_hop(headers);
    let overrides = |name: &&HeaderName| OVERRIDES.contains(&folded(name).as_ref());
    let overriding: Vec<HeaderName> = headers.keys().filter(overrides).cloned().collect();
    for name in overriding {
        headers.remove(name);
    }
    for name in [HOST, EXPECT, CONTENT_LENGTH] {
        headers.remove(name);
    }
    headers.remove("proxy-authorization");
    if trailers {
        headers.insert(TE, HeaderValue::from_static("trailers"));
    }
    join_cookies(headers);
}

/// Takes out of a response what does not go on. `Alt-Svc` names other ways to the upstream, none
/// of which leads out of a sandbox.
pub(super) fn clean_response(headers: &mut HeaderMap) {
    drop_hop_by_hop(headers);
    headers.remove(ALT_SVC);
}

/// Takes out of trailers what belongs into a head (RFC 9110, section 6.5.1).
pub(super) fn clean_trailers(headers: &mut HeaderMap) {
    drop_hop_by_hop(headers);
    for name in [CONTENT_LENGTH, HOST, TRAILER, ACCEPT_RANGES] {
        headers.remove(name);
    }
    for name in ["content-encoding", "content-type", "set-cookie", "location"] {
        headers.remove(name);
    }
}

/// Whether a client authenticates itself by this field.
pub(super) fn is_authentication(name: &HeaderName) -> bool {
    AUTHENTICATION.contains(&folded(name).as_ref())
}

/// Whether a client authenticates itself by this parameter of a query.
pub(super) fn is_authentication_parameter(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    AUTHENTICATION_PARAMETERS.contains(&name.as_str())
}

/// The field or parameter that makes some servers do something else than what was decided on,
/// where there is one.
pub(super) fn substitute<'a>(headers: &'a HeaderMap, query: Option<&str>) -> Option<&'a str> {
    let parameters = query.unwrap_or_default().split(['&', ';']);
    let names = parameters.map(|parameter| parameter.split('=').next().unwrap_or_default());
    let names: Vec<String> = names.map(folded_parameter).collect();
    let is_there = |known: &&&str| names.iter().any(|name| name == **known);
    if let Some(known) = SUBSTITUTE_PARAMETERS.iter().find(is_there) {
        return Some(known);
    }
    let substitutes = |name: &&HeaderName| {
        let name = folded(name);
        let begins = |prefix: &&str| name.starts_with(*prefix);
        SUBSTITUTES.contains(&name.as_ref()) || SUBSTITUTE_PREFIXES.iter().any(begins)
    };
    headers.keys().find(substitutes).map(HeaderName::as_str)
}

/// The name of a parameter as servers see it that make variables of them: without blanks before it
/// and brackets behind it, `.` and blanks as `_`, in any case.
fn folded_parameter(name: &str) -> String {
    let name = name.replace('+', " ");
    let name = percent_decode_str(&name).decode_utf8_lossy().to_lowercase();
    let name = name.trim_start().split('[').next().unwrap_or_default();
    name.replace(['.', ' '], "_")
}

/// A name as servers see it that make variables of fields: `_` and `-` are one to them.
fn folded(name: &HeaderName) -> Cow<'_, str> {
    if name.as_str().contains('_') {
        Cow::Owned(name.as_str().replace('_', "-"))
    } else {
        Cow::Borrowed(name.as_str())
    }
}

/// Whether a credential may be put into this field: not where the connection or the target is
/// spoken about.
pub(super) fn may_be_injected(name: &HeaderName) -> bool {
    let framing = [HOST, CONTENT_LENGTH, EXPECT, TRAILER, TRANSFER_ENCODING];
    !HOP_BY_HOP.contains(&name.as_str()) && !framing.contains(name)
}

/// Octets that a head takes, nearly.
pub(super) fn octets(headers: &HeaderMap) -> u64 {
    let each = |(name, value): (&HeaderName, &HeaderValue)| name.as_str().len() + value.len() + 4;
    headers.iter().map(each).sum::<usize>() as u64
}

fn drop_hop_by_hop(headers: &mut HeaderMap) {
    let named: Vec<HeaderName> = headers
        .get_all(CONNECTION)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .filter_map(|name| name.trim().parse().ok())
        .collect();
    for name in named {
        // A message whose `Connection` names a field that it needs is not what its sender means.
        if name != CONTENT_LENGTH && name != UPGRADE {
            headers.remove(name);
        }
    }
    for name in HOP_BY_HOP {
        headers.remove(name);
    }
}

/// HTTP/2 lets a client send `Cookie` in crumbs (RFC 9113, section 8.2.3); HTTP/1 does not.
fn join_cookies(headers: &mut HeaderMap) {
    let crumbs: Vec<&[u8]> = headers
        .get_all(COOKIE)
        .iter()
        .map(HeaderValue::as_bytes)
        .collect();
    if crumbs.len() < 2 {
        return;
    }
    let joined = HeaderValue::from_bytes(&crumbs.join(&b"; "[..]));
    headers.remove(COOKIE);
    if let Ok(joined) = joined {
        headers.insert(COOKIE, joined);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(fields: &[(&'static str, &'static str)]) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for (name, value) in fields {
            headers.append(*name, HeaderValue::from_static(value));
        }
        headers
    }

    #[test]
    fn fields_of_the_connection_and_overrides_go_nowhere() {
        let mut request = headers(&[
            ("connection", "close, x-private, content-length"),
            ("x-private", "1"),
            ("x-http-method-override", "DELETE"),
            ("x_http_method_override", "DELETE"),
            ("x-original-url", "/admin"),
            ("x_original_url", "/admin"),
            ("x_original-url", "/admin"),
            ("forwarded", "host=evil.test"),
            ("x-forwarded-prefix", "/admin"),
            ("te", "trailers"),
            ("expect", "100-continue"),
            ("accept", "*/*"),
            ("cookie", "a=1"),
            ("cookie", "b=2"),
        ]);
        clean_request(&mut request);
        let expected = headers(&[
            ("te", "trailers"),
            ("accept", "*/*"),
            ("cookie", "a=1; b=2"),
        ]);
        assert_eq!(request.len(), expected.len());
        for (name, value) in &expected {
            assert_eq!(request.get(name), Some(value), "{name}");
        }
    }

    #[test]
    fn a_name_with_underscores_is_the_one_that_servers_take_it_for() {
        for name in ["x-api-key", "x_api_key", "x-api_key", "private_token"] {
            assert!(is_authentication(&HeaderName::from_static(name)), "{name}");
        }
        assert!(!is_authentication(&HeaderName::from_static("x-other")));
    }

    #[test]
    fn what_makes_another_request_of_this_one_is_found() {
        for (name, query) in [
            ("sudo", ""),
            ("impersonate-user", ""),
            ("impersonate_group", ""),
            ("x-remote-user", ""),
            ("x_remote_user", ""),
            ("x-amz-copy-source", ""),
            ("accept", "a=1&_method=DELETE"),
            ("accept", "%5fMethod=DELETE"),
            ("accept", "a;_method"),
        ] {
            let found = headers(&[(name, "x")]);
            assert!(substitute(&found, Some(query)).is_some(), "{name} {query}");
        }
        let plain = headers(&[("accept", "x"), ("x-user", "impersonate-user")]);
        for query in [
            "?.method=DELETE",
            "+_method=x",
            "%20_METHOD=x",
            "_method[]=x",
            "Sudo=root",
        ] {
            let query = query.trim_start_matches('?');
            assert!(substitute(&plain, Some(query)).is_some(), "{query}");
        }
        assert_eq!(substitute(&plain, Some("a=_method&the_method=x")), None);
        assert_eq!(substitute(&plain, None), None);
    }

    #[test]
    fn a_response_names_no_other_way_to_the_upstream() {
        let mut response = headers(&[
            ("alt-svc", "h3=\":443\""),
            ("keep-alive", "timeout=5"),
            ("etag", "\"1\""),
        ]);
        clean_response(&mut response);
        assert_eq!(response.len(), 1);
    }
}
