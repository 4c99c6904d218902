//! What anybody can make: keys, web tokens, passwords, and our own tokens.

use super::{Charset, Form, rule, run, token};
use crate::secrets::assigned::What;
use crate::secrets::rule::Rule;

pub(super) const RULES: &[Rule] = &[
    token(
        "ringfence-token",
        "a token that Ringfence gave to an agent",
        &["rf_"],
        &[run(Charset::Url, 43, 43)],
    ),
    rule(
        "private-key",
        "a private key in PEM, OpenSSH's or OpenPGP's form",
        &["-----BEGIN "],
        Form::KeyBlock,
    ),
    token(
        "age-secret-key",
        "a private key of age",
        &["AGE-SECRET-KEY-1"],
        &[run(Charset::UpperDigits, 58, 58)],
    ),
    rule(
        "json-web-token",
        "a signed JSON web token",
        &["eyJ"],
        Form::WebToken,
    ),
    rule(
        "database-url-password",
        "a password in a connection string",
        &["://"],
        Form::UrlPassword { is_database: true },
    ),
    rule(
        "url-password",
        "a password in a URL",
        &["://"],
        Form::UrlPassword { is_database: false },
    ),
    rule(
        "basic-authentication",
        "user and password in base64, as HTTP and Docker's configuration have them",
        &["basic ", "\"auth\":\"", "\"auth\": \"", "_auth="],
        Form::Basic,
    ),
    rule(
        "bearer-token",
        "a token in a header",
        &["bearer "],
        Form::Assigned(What::Bearer),
    ),
    rule(
        "netrc-password",
        "a password in a .netrc",
        &["password "],
        Form::Assigned(What::Netrc),
    ),
    rule(
        "npmrc-token",
        "what an .npmrc signs in with",
        &[":_authtoken=", ":_password="],
        Form::Assigned(What::Npmrc),
    ),
    rule(
        "secret-value",
        "a random value of something that is called a key, a token or a secret",
        &["secret", "token", "key", "credential"],
        Form::Assigned(What::Key),
    ),
    rule(
        "password-value",
        "a value that is hard to guess of something that is called a password",
        &["pass", "pwd"],
        Form::Assigned(What::Password),
    ),
];
