//! JSON Web Tokens as an issuer reads them: taken apart here, the signature checked by OpenSSL.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::Value;

use crate::Workdir;
use crate::process::{command, run};

/// A token whose signature is right.
#[derive(Debug, Clone)]
pub struct Jwt {
    /// Its header.
    pub header: Value,
    /// Its claims.
    pub claims: Value,
}

/// Checks tokens with one public key.
pub struct Verifier {
    public: PathBuf,
    directory: PathBuf,
    count: AtomicU64,
}

impl Verifier {
    /// With the public key in this file (PEM).
    pub fn new(workdir: &Workdir, public: &Path) -> io::Result<Self> {
        Ok(Self {
            public: public.to_owned(),
            directory: workdir.dir("jwt")?,
            count: AtomicU64::new(0),
        })
    }

    /// Takes a token apart and checks its signature by the algorithm that its header names.
    pub fn read(&self, token: &str) -> Result<Jwt, &'static str> {
        let [header, claims, signature] =
            <[&str; 3]>::try_from(token.split('.').collect::<Vec<_>>())
                .map_err(|_| "it does not have three parts")?;
        let decode = |part: &str| {
            URL_SAFE_NO_PAD
                .decode(part)
                .map_err(|_| "it is not base64url")
        };
        let object = |part: &str| {
            let value: Value =
                serde_json::from_slice(&decode(part)?).map_err(|_| "it is no JSON")?;
            value.is_object().then_some(value).ok_or("it is no object")
        };
        let jwt = Jwt {
            header: object(header)?,
            claims: object(claims)?,
        };
        let options: &[&str] = match jwt.field("alg") {
            "RS256" | "ES256" => &[],
            "PS256" => &[
                "-sigopt",
                "rsa_padding_mode:pss",
                "-sigopt",
                "rsa_pss_saltlen:32",
            ],
            _ => return Err("its algorithm is not known"),
        };
        let mut signature = decode(signature)?;
        if jwt.field("alg") == "ES256" {
            signature = der(&signature).ok_or("its signature is not of P-256")?;
        }
        let (message, _) = token.rsplit_once('.').unwrap_or_default();
        self.verify(message.as_bytes(), &signature, options)
            .map_err(|_| "its signature is wrong")?;
        Ok(jwt)
    }

    fn verify(&self, message: &[u8], signature: &[u8], options: &[&str]) -> io::Result<()> {
        let count = self.count.fetch_add(1, Ordering::Relaxed);
        let file = |kind: &str| self.directory.join(format!("{count}.{kind}"));
        fs::write(file("message"), message)?;
        fs::write(file("signature"), signature)?;
        let mut openssl = command("openssl");
        openssl.args(["dgst", "-sha256"]).args(options);
        openssl.arg("-verify").arg(&self.public);
        openssl.arg("-signature").arg(file("signature"));
        run(openssl.arg(file("message"))).map(drop)
    }
}

impl Jwt {
    /// Whether it is good now, was issued before now, and ends at most so many seconds from now.
    pub fn check_times(&self, ahead: u64) -> Result<(), &'static str> {
        let now = now();
        let exp = self.time("exp").ok_or("it has no `exp`")?;
        if exp <= now {
            return Err("'Expiration time' claim ('exp') is over");
        }
        if exp > now + ahead {
            return Err("'Expiration time' claim ('exp') is too far in the future");
        }
        if ["iat", "nbf"]
            .iter()
            .any(|name| self.time(name).is_some_and(|time| time > now))
        {
            return Err("'Issued at' claim ('iat') is in the future");
        }
        Ok(())
    }

    /// A claim that is a string.
    pub fn claim(&self, name: &str) -> &str {
        text(&self.claims, name)
    }

    /// A field of the header that is a string.
    pub fn field(&self, name: &str) -> &str {
        text(&self.header, name)
    }

    /// A claim that is a time, in seconds since the epoch.
    pub fn time(&self, name: &str) -> Option<u64> {
        self.claims.get(name)?.as_u64()
    }
}

fn text<'a>(object: &'a Value, name: &str) -> &'a str {
    let member = object.get(name).and_then(Value::as_str);
    member.unwrap_or_default()
}

/// Seconds since the epoch.
pub(super) fn now() -> u64 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH);
    now.unwrap_or_default().as_secs()
}

/// `r || s` (RFC 7518, section 3.4) as the sequence of two integers that X9.62 has.
fn der(signature: &[u8]) -> Option<Vec<u8>> {
    let (r, s) = signature
        .split_at_checked(32)
        .filter(|(_, s)| s.len() == 32)?;
    let body = [integer(r), integer(s)].concat();
    Some([&[0x30, u8::try_from(body.len()).ok()?], body.as_slice()].concat())
}

fn integer(octets: &[u8]) -> Vec<u8> {
    let start = octets.iter().position(|octet| *octet != 0);
    let digits = octets.get(start.unwrap_or(31)..).unwrap_or_default();
    let sign: &[u8] = match digits.first() {
        Some(first) if *first >= 0x80 => &[0],
        _ => &[],
    };
    let length = u8::try_from(sign.len() + digits.len()).unwrap_or_default();
    [&[0x02, length], sign, digits].concat()
}

#[cfg(test)]
pub(in crate::issuer) mod tests {
    use serde_json::json;

    use super::*;
    use crate::issuer::keys::ClientKey;

    fn signed(workdir: &Workdir, key: &ClientKey, message: &str) -> Vec<u8> {
        let private = workdir.file("sign.key", &key.private_pem).unwrap();
        let message = workdir.file("sign.message", message).unwrap();
        let mut openssl = command("openssl");
        openssl.args(["dgst", "-sha256", "-sign"]).arg(private);
        run(openssl.arg(message)).unwrap().stdout
    }

    /// A token by RS256, signed by OpenSSL.
    pub(in crate::issuer) fn token(workdir: &Workdir, key: &ClientKey, claims: &Value) -> String {
        let header = URL_SAFE_NO_PAD.encode(r#"{"alg":"RS256"}"#);
        let message = format!("{header}.{}", URL_SAFE_NO_PAD.encode(claims.to_string()));
        let signature = URL_SAFE_NO_PAD.encode(signed(workdir, key, &message));
        format!("{message}.{signature}")
    }

    #[test]
    fn a_token_is_read_by_its_own_key_only() {
        let workdir = Workdir::new().unwrap();
        let key = ClientKey::rsa(&workdir, "one").unwrap();
        let other = ClientKey::rsa(&workdir, "two").unwrap();
        let claims = json!({"iss": "1", "exp": now() + 300});
        let token = token(&workdir, &key, &claims);
        let (message, _) = token.rsplit_once('.').unwrap();
        let reader = |key: &ClientKey| Verifier::new(&workdir, &key.public()).unwrap();
        let jwt = reader(&key).read(&token).unwrap();
        assert_eq!(jwt.claim("iss"), "1");
        assert_eq!(jwt.check_times(600), Ok(()));
        assert!(jwt.check_times(10).is_err());
        assert!(reader(&other).read(&token).is_err());
        let none = URL_SAFE_NO_PAD.encode(r#"{"alg":"none"}"#);
        let claims = URL_SAFE_NO_PAD.encode(claims.to_string());
        for bad in [
            format!("{none}.{claims}."),
            format!("{message}.AA"),
            message.to_owned(),
        ] {
            assert!(reader(&key).read(&bad).is_err(), "{bad}");
        }
    }
}
