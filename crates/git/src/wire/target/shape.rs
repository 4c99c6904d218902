//! Whether a request smells of git.
//!
//! This decides nothing but whose the request is: what looks like git in any spelling goes to
//! the git adapter, which is strict, and to no other.

/// Whether the target of a request, path and query, looks like git's: the smart protocol, the
/// dumb one, LFS, a bare repository. It sees through percent-encoding, letter case, dots,
/// backslashes and slashes too many.
#[must_use]
pub fn is_git_shaped(target: &str) -> bool {
    let plain = plain(target);
    if plain.contains("service=git-") {
        return true;
    }
    let (path, query) = plain.split_once('?').unwrap_or((&plain, ""));
    // A client with a `?` in its URL puts the rest of the path behind it.
    is_shaped(path) || is_shaped(query.split_once('/').map_or("", |(_, rest)| rest))
}

fn is_shaped(path: &str) -> bool {
    let parts: Vec<&str> = path
        .split('/')
        .map(|part| part.split(';').next().unwrap_or(part))
        .filter(|part| !matches!(*part, "" | "."))
        .collect();
    let has_part = |part: &&str| {
        part.ends_with(".git") || (part.starts_with("git-") && SERVICES.contains(part))
    };
    let has_pair = |pair: &[&str]| match pair {
        ["info", "refs" | "lfs"] | ["objects", "info" | "pack"] => true,
        ["objects", fan] => fan.len() == 2 && fan.bytes().all(|c| c.is_ascii_hexdigit()),
        _ => false,
    };
    let is_head = matches!(parts.as_slice(), [_, _, "head"]);
    is_head || parts.iter().any(has_part) || parts.windows(2).any(has_pair)
}

/// Lower case, decoded until nothing changes, with slashes.
fn plain(target: &str) -> String {
    let mut text = target.to_ascii_lowercase();
    for _ in 0..DECODINGS {
        let next = decoded_once(&text);
        if next == text {
            break;
        }
        text = next;
    }
    text.to_ascii_lowercase().replace('\\', "/")
}

/// ASCII alone is decoded: nothing else is in what is looked for.
fn decoded_once(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('%') {
        out.push_str(before);
        let code = after
            .get(..2)
            .and_then(|code| u8::from_str_radix(code, 16).ok());
        match code.filter(u8::is_ascii) {
            Some(0) => rest = after.get(2..).unwrap_or_default(),
            Some(octet) => {
                out.push(char::from(octet));
                rest = after.get(2..).unwrap_or_default();
            }
            None => {
                out.push('%');
                rest = after;
            }
        }
    }
    out.push_str(rest);
    out
}

const SERVICES: [&str; 3] = ["git-upload-pack", "git-receive-pack", "git-upload-archive"];

/// How often a path may be encoded over. Each server decodes once, proxies before it perhaps too.
const DECODINGS: usize = 4;
