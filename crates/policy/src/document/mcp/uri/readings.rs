//! What readers may take one URI for: some undo what is encoded, leave query and fragment out, or
//! know several ways to write a host. What is forbidden is forbidden in all of them.

/// The URI and what else it may be read as.
pub(super) fn readings(uri: &str) -> Vec<String> {
    let mut all = vec![uri.to_owned()];
    for undo in [without_fragment, without_query, plain_host, decoded, single] {
        for at in 0..all.len() {
            let undone = all.get(at).map(|it| undo(it));
            if let Some(undone) = undone.filter(|it| !all.contains(it)) {
                all.push(undone);
            }
        }
    }
    all
}

fn without_fragment(uri: &str) -> String {
    uri.split('#').next().unwrap_or_default().to_owned()
}

fn without_query(uri: &str) -> String {
    uri.split('?').next().unwrap_or_default().to_owned()
}

/// Without user, usual port and the dot behind a host; a file of this machine is known by no host.
fn plain_host(uri: &str) -> String {
    let Some((scheme, rest)) = uri.split_once(':') else {
        return uri.to_owned();
    };
    let scheme = scheme.to_ascii_lowercase();
    let Some(rest) = rest.strip_prefix("//") else {
        // `file:/a` (RFC 8089, appendix B).
        let is_file = scheme == "file" && rest.starts_with('/');
        return if is_file {
            format!("file://{rest}")
        } else {
            uri.to_owned()
        };
    };
    let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
    let (authority, path) = rest.split_at(end);
    let host = authority
        .rsplit_once('@')
        .map_or(authority, |(_, host)| host);
    let usual = match scheme.as_str() {
        "http" | "ws" => ":80",
        "https" | "wss" => ":443",
        _ => ":",
    };
    let host = host.strip_suffix(usual).unwrap_or(host);
    let host = host.strip_suffix('.').unwrap_or(host);
    let host = match scheme == "file" && host.eq_ignore_ascii_case("localhost") {
        true => "",
        false => host,
    };
    format!("{scheme}://{host}{path}")
}

/// With everything that is encoded as it is.
fn decoded(uri: &str) -> String {
    let mut octets = Vec::with_capacity(uri.len());
    let mut parts = uri.split('%');
    octets.extend_from_slice(parts.next().unwrap_or_default().as_bytes());
    for part in parts {
        let code = part.get(..2).and_then(|it| u8::from_str_radix(it, 16).ok());
        match (code, part.get(2..)) {
            (Some(code), Some(rest)) => {
                octets.push(code);
                octets.extend_from_slice(rest.as_bytes());
            }
            _ => {
                octets.push(b'%');
                octets.extend_from_slice(part.as_bytes());
            }
        }
    }
    String::from_utf8_lossy(&octets).into_owned()
}

/// With one slash where there are several.
fn single(uri: &str) -> String {
    let (scheme, rest) = uri.split_once("://").unwrap_or(("", uri));
    let mut path = String::with_capacity(rest.len());
    for character in rest.chars() {
        if character != '/' || !path.ends_with('/') {
            path.push(character);
        }
    }
    match scheme {
        "" => path,
        scheme => format!("{scheme}://{path}"),
    }
}
