//! Whether something is called a secret.

/// What a name may go on with after `password`, `secret`, `token` or `key`, separators left out.
const ENDINGS: &[&str] = &[
    "",
    "s",
    "value",
    "val",
    "str",
    "string",
    "plain",
    "plaintext",
    "prod",
    "production",
    "staging",
    "live",
    "key",
    "keybase",
    "base",
    "accesskey",
    "secondary",
    "default",
    "main",
    "b64",
    "base64",
];

/// What makes a key a secret one.
const KEYS: &[&str] = &[
    "api",
    "access",
    "secret",
    "private",
    "encryption",
    "encrypt",
    "signing",
    "sign",
    "master",
    "auth",
    "account",
    "shared",
    "service",
    "subscription",
    "admin",
    "app",
    "application",
    "client",
    "crypto",
    "hmac",
    "jwt",
    "session",
    "webhook",
    "deploy",
    "storage",
    "root",
    "data",
    "license",
    "write",
];

/// What makes a name say that the value is no secret.
const HARMLESS: &[&str] = &[
    "public",
    "pubkey",
    "publish",
    "hash",
    "digest",
    "checksum",
    "sha1",
    "sha256",
    "md5",
    "finger",
    "csrf",
    "xsrf",
    "next",
    "page",
    "continu",
    "cursor",
    "sync",
    "cancel",
    "idempot",
    "cache",
    "encrypted",
    "sealed",
    "anon",
    "site",
    "measure",
    "uuid",
    "guid",
    "etag",
    "nonce",
    "salt",
    "integrity",
    "resume",
    "watch",
    "translat",
    "design",
    "label",
    "tracking",
];

/// Names of which even a value in hexadecimal is a secret.
const STRONG: &[&str] = &[
    "apikey",
    "secretkey",
    "accesskey",
    "accesstoken",
    "authtoken",
    "clientsecret",
    "apitoken",
    "apisecret",
    "appsecret",
    "secretkeybase",
    "signingkey",
    "encryptionkey",
    "privatekey",
    "masterkey",
];

/// A name that holds one of the words that anchors stand for.
pub(super) struct Name {
    /// In lower case, without separators.
    whole: String,
    /// How much of it comes before the anchor, and where that ends.
    anchor: (usize, usize),
}

impl Name {
    pub(super) fn new(before: &[u8], anchor: &[u8], after: &[u8]) -> Self {
        let mut whole = compact(before);
        let start = whole.len();
        whole.push_str(&compact(anchor));
        let end = whole.len();
        whole.push_str(&compact(after));
        Self {
            whole,
            anchor: (start, end),
        }
    }

    /// Whether it is the name of a secret.
    pub(super) fn is_secret(&self) -> bool {
        let (start, end) = self.anchor;
        let before = self.whole.get(..start).unwrap_or_default();
        let anchor = self.whole.get(start..end).unwrap_or_default();
        let after = self.whole.get(end..).unwrap_or_default();
        let after = match anchor {
            "pass" => ["word", "wd", "phrase", "code"]
                .iter()
                .find_map(|rest| after.strip_prefix(rest))
                .unwrap_or(after),
            _ => after,
        };
        let after = after.trim_end_matches(|c: char| c.is_ascii_digit());
        let is_key = anchor != "key" || KEYS.iter().any(|kind| before.ends_with(kind));
        is_key && ENDINGS.contains(&after) && !HARMLESS.iter().any(|word| self.whole.contains(word))
    }

    /// Whether it leaves no doubt.
    pub(super) fn is_strong(&self) -> bool {
        STRONG.iter().any(|name| self.whole.ends_with(name))
    }
}

fn compact(name: &[u8]) -> String {
    name.iter()
        .filter(|octet| !matches!(octet, b'-' | b'_'))
        .map(|octet| char::from(octet.to_ascii_lowercase()))
        .collect()
}
