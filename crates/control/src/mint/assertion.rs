//! Assertions: JSON Web Tokens (RFC 7519) that prove to an issuer who asks. They are signed here
//! and never read.

use aws_lc_rs::rand::{self, SystemRandom};
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED_SIGNING, ECDSA_P384_SHA384_FIXED_SIGNING, EcdsaKeyPair,
    EcdsaSigningAlgorithm, RSA_PKCS1_SHA256, RSA_PKCS1_SHA384, RSA_PKCS1_SHA512, RSA_PSS_SHA256,
    RsaEncoding, RsaKeyPair,
};
use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use jiff::Timestamp;
use ringfence_model::Secret;
use serde::Serialize;
use zeroize::Zeroizing;

use super::MintError;
use super::limits::{ASSERTION_AFTER, ASSERTION_BEFORE};
use super::settings::unusable;

/// A signature algorithm of RFC 7518.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub(super) enum Algorithm {
    RS256,
    RS384,
    RS512,
    PS256,
    ES256,
    ES384,
}

/// The header of an assertion.
#[derive(Serialize)]
struct Header<'a> {
    alg: Algorithm,
    typ: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    kid: Option<&'a str>,
    /// RFC 7515, section 4.1.8.
    #[serde(rename = "x5t#S256", skip_serializing_if = "Option::is_none")]
    thumbprint: Option<&'a str>,
}

/// The claims of an assertion, beyond its times and its id.
#[derive(Debug, Clone, Copy, Serialize)]
pub(super) struct Claims<'a> {
    pub(super) iss: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) sub: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) aud: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) scope: Option<&'a str>,
}

/// All claims.
#[derive(Serialize)]
struct Signed<'a> {
    #[serde(flatten)]
    claims: Claims<'a>,
    iat: i64,
    nbf: i64,
    exp: i64,
    jti: String,
}

/// A private key and what the header of its assertions says.
pub(super) struct Signer {
    algorithm: Algorithm,
    key: Key,
    key_id: Option<String>,
    thumbprint: Option<String>,
}

enum Key {
    Rsa(RsaKeyPair, &'static dyn RsaEncoding),
    Ecdsa(EcdsaKeyPair),
}

impl Signer {
    /// Reads a private key in PEM: PKCS #8, or the older forms for RSA (PKCS #1) and EC (SEC 1).
    /// `field` is the secret that holds it.
    pub(super) fn new(algorithm: Algorithm, field: &str, pem: &Secret) -> Result<Self, MintError> {
        let not_a_key = || unusable(field, algorithm.wanted_key());
        let block = block(pem.expose(), "PRIVATE KEY").ok_or_else(not_a_key)?;
        if block.label.contains("ENCRYPTED") {
            return Err(unusable(
                field,
                "the private key is encrypted; decrypt it first",
            ));
        }
        let der = block.der.as_slice();
        let key = match algorithm.family() {
            Family::Rsa(encoding) => {
                let pair = match block.label.as_str() {
                    "RSA PRIVATE KEY" => RsaKeyPair::from_der(der),
                    _ => RsaKeyPair::from_pkcs8(der),
                };
                Key::Rsa(pair.map_err(|_| not_a_key())?, encoding)
            }
            Family::Ecdsa(curve) => {
                let pair = match block.label.as_str() {
                    "EC PRIVATE KEY" => EcdsaKeyPair::from_private_key_der(curve, der),
                    _ => EcdsaKeyPair::from_pkcs8(curve, der),
                };
                Key::Ecdsa(pair.map_err(|_| not_a_key())?)
            }
        };
        Ok(Self {
            algorithm,
            key,
            key_id: None,
            thumbprint: None,
        })
    }

    /// With the header `kid`.
    #[must_use]
    pub(super) fn with_key_id(mut self, key_id: Option<&str>) -> Self {
        self.key_id = key_id.map(str::to_owned);
        self
    }

    /// With the header `x5t#S256` of a certificate in PEM.
    pub(super) fn with_certificate(mut self, field: &str, pem: &Secret) -> Result<Self, MintError> {
        let found = block(pem.expose(), "CERTIFICATE")
            .ok_or_else(|| unusable(field, "it is not a certificate in PEM"))?;
        let digest = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, &found.der);
        self.thumbprint = Some(URL_SAFE_NO_PAD.encode(digest));
        Ok(self)
    }

    /// An assertion that is good from a little before `now` to a little after.
    pub(super) fn sign(&self, claims: Claims<'_>, now: Timestamp) -> Result<Secret, MintError> {
        let failed = |_| MintError::Settings("nothing could be signed".to_owned());
        let header = Header {
            alg: self.algorithm,
            typ: "JWT",
            kid: self.key_id.as_deref(),
            thumbprint: self.thumbprint.as_deref(),
        };
        let signed = signed(claims, now).map_err(failed)?;
        let header = serde_json::to_vec(&header).map_err(|_| failed(Unspecified))?;
        let claims = serde_json::to_vec(&signed).map_err(|_| failed(Unspecified))?;
        let mut message = URL_SAFE_NO_PAD.encode(header);
        message.push('.');
        URL_SAFE_NO_PAD.encode_string(claims, &mut message);
        let signature = self.signature(message.as_bytes()).map_err(failed)?;
        let mut assertion = Zeroizing::new(message);
        assertion.push('.');
        URL_SAFE_NO_PAD.encode_string(signature, &mut assertion);
        Ok(Secret::new(assertion.as_bytes()))
    }

    fn signature(&self, message: &[u8]) -> Result<Vec<u8>, Unspecified> {
        let random = SystemRandom::new();
        match &self.key {
            Key::Rsa(pair, encoding) => {
                let mut signature = vec![0; pair.public_modulus_len()];
                let signing = pair.sign(*encoding, &random, message, &mut signature);
                signing.map(|()| signature).map_err(|_| Unspecified)
            }
            Key::Ecdsa(pair) => {
                let signature = pair.sign(&random, message).map_err(|_| Unspecified)?;
                Ok(signature.as_ref().to_vec())
            }
        }
    }
}

/// Why the library did not sign: it does not say.
struct Unspecified;

fn signed(claims: Claims<'_>, now: Timestamp) -> Result<Signed<'_>, Unspecified> {
    let mut id = [0; 16];
    rand::fill(&mut id).map_err(|_| Unspecified)?;
    let from = now.checked_sub(ASSERTION_BEFORE).map_err(|_| Unspecified)?;
    let to = now.checked_add(ASSERTION_AFTER).map_err(|_| Unspecified)?;
    Ok(Signed {
        claims,
        iat: from.as_second(),
        nbf: from.as_second(),
        exp: to.as_second(),
        jti: URL_SAFE_NO_PAD.encode(id),
    })
}

enum Family {
    Rsa(&'static dyn RsaEncoding),
    Ecdsa(&'static EcdsaSigningAlgorithm),
}

impl Algorithm {
    const ALL: [(&'static str, Self); 6] = [
        ("RS256", Self::RS256),
        ("RS384", Self::RS384),
        ("RS512", Self::RS512),
        ("PS256", Self::PS256),
        ("ES256", Self::ES256),
        ("ES384", Self::ES384),
    ];

    /// The algorithm of this name, by default RS256.
    pub(super) fn read(name: Option<&str>) -> Result<Self, MintError> {
        let Some(name) = name else {
            return Ok(Self::RS256);
        };
        let found = Self::ALL.iter().find(|(known, _)| *known == name);
        found.map(|(_, algorithm)| *algorithm).ok_or_else(|| {
            unusable(
                "algorithm",
                "it is RS256, RS384, RS512, PS256, ES256 or ES384",
            )
        })
    }

    fn family(self) -> Family {
        match self {
            Self::RS256 => Family::Rsa(&RSA_PKCS1_SHA256),
            Self::RS384 => Family::Rsa(&RSA_PKCS1_SHA384),
            Self::RS512 => Family::Rsa(&RSA_PKCS1_SHA512),
            Self::PS256 => Family::Rsa(&RSA_PSS_SHA256),
            Self::ES256 => Family::Ecdsa(&ECDSA_P256_SHA256_FIXED_SIGNING),
            Self::ES384 => Family::Ecdsa(&ECDSA_P384_SHA384_FIXED_SIGNING),
        }
    }

    const fn wanted_key(self) -> &'static str {
        match self {
            Self::ES256 => "it is not a private key of the curve P-256 in PEM",
            Self::ES384 => "it is not a private key of the curve P-384 in PEM",
            _ => "it is not an RSA private key of 2048 bits or more in PEM",
        }
    }
}

/// One block of a PEM file (RFC 7468).
struct Block {
    label: String,
    der: Zeroizing<Vec<u8>>,
}

/// The first block whose label ends so.
fn block(pem: &[u8], label: &str) -> Option<Block> {
    let text = std::str::from_utf8(pem).ok()?;
    let mut lines = text.lines().map(str::trim);
    let label = lines.find_map(|line| {
        let name = line.strip_prefix("-----BEGIN ")?.strip_suffix("-----")?;
        name.ends_with(label).then(|| name.to_owned())
    })?;
    let end = format!("-----END {label}-----");
    let mut encoded = Zeroizing::new(String::with_capacity(text.len()));
    for line in lines {
        if line == end {
            let der = Zeroizing::new(STANDARD.decode(encoded.as_bytes()).ok()?);
            return Some(Block { label, der });
        }
        encoded.push_str(line);
    }
    None
}

#[cfg(test)]
mod tests;
