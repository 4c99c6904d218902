//! Clouds, their databases and those who run infrastructure.

use super::{Charset::*, Check, Form, Middle, Part, begin, checked, middle, rule, run, token};
use crate::secrets::assigned::What;
use crate::secrets::rule::Rule;

pub(super) const RULES: &[Rule] = &[
    token(
        "aws-access-key-id",
        "the id of an access key of AWS, long-lived or temporary",
        &["AKIA", "ASIA", "ABIA", "ACCA"],
        &[run(Base32, 16, 16)],
    ),
    rule(
        "aws-secret-access-key",
        "the secret part of an access key of AWS, by its name",
        &[
            "secret_access_key",
            "secretaccesskey",
            "secret-access-key",
            "aws_secret",
            "awssecret",
        ],
        Form::Assigned(What::AwsSecret),
    ),
    rule(
        "gcp-service-account-key",
        "the key of a service account of Google Cloud",
        &["-----BEGIN "],
        Form::ServiceAccount,
    ),
    checked(
        "google-api-key",
        "an API key of Google, but for those of apps and pages that everybody gets",
        &["AIza"],
        (
            &[run(Url, 35, 35)],
            Check::Unless(&[
                "current_key",
                "authDomain",
                "messagingSenderId",
                "GOOGLE_APP_ID",
            ]),
        ),
    ),
    token(
        "google-oauth-client-secret",
        "the secret of an OAuth client of Google",
        &["GOCSPX-"],
        &[run(Url, 28, 28)],
    ),
    token(
        "google-oauth-token",
        "an access token of Google",
        &["ya29."],
        &[begin(Url, 40)],
    ),
    token(
        "azure-storage-key",
        "an account key of Azure's storage, its databases or another service",
        &["AccountKey="],
        &[run(Base64, 86, 86), Part::Text("==")],
    ),
    token(
        "azure-shared-access-key",
        "a shared access key of Azure's service bus, event hubs or IoT hub",
        &["SharedAccessKey="],
        &[run(Base64, 43, 43), Part::Text("=")],
    ),
    middle(
        "azure-client-secret",
        "the secret of an application of Entra",
        &["Q~"],
        Middle {
            starts: "",
            before: (Unreserved, 4, 4),
            after: (Unreserved, 31, 34),
        },
    ),
    rule(
        "azure-shared-access-signature",
        "a URL of Azure's storage that carries its permission",
        &["sig="],
        Form::SharedAccess,
    ),
    token(
        "digitalocean-token",
        "a token of DigitalOcean",
        &["dop_v1_", "doo_v1_", "dor_v1_"],
        &[run(Hex, 64, 64)],
    ),
    token(
        "vault-token",
        "a token of Vault",
        &["hvs.", "hvb.", "hvr."],
        &[begin(Url, 24)],
    ),
    middle(
        "terraform-token",
        "a token of HCP Terraform",
        &[".atlasv1."],
        Middle {
            starts: "",
            before: (Base62, 14, 14),
            after: (Url, 60, 80),
        },
    ),
    token(
        "databricks-token",
        "a token of Databricks",
        &["dapi"],
        &[run(Hex, 32, 32)],
    ),
    token(
        "planetscale-secret",
        "a token or password of PlanetScale",
        &["pscale_tkn_", "pscale_pw_", "pscale_oauth_"],
        &[run(Dotted, 32, 64)],
    ),
    token(
        "supabase-token",
        "a token or a secret key of Supabase",
        &["sbp_"],
        &[run(Hex, 40, 40)],
    ),
    token(
        "pulumi-token",
        "a token of Pulumi",
        &["pul-"],
        &[run(Hex, 40, 40)],
    ),
    token(
        "doppler-token",
        "a token of Doppler",
        &["dp.pt.", "dp.st.", "dp.sa."],
        &[run(Dotted, 40, 64)],
    ),
    token(
        "tailscale-key",
        "a key of Tailscale",
        &["tskey-auth-", "tskey-api-", "tskey-client-"],
        &[run(Url, 24, 64)],
    ),
    token(
        "netlify-token",
        "a token of Netlify",
        &["nfp_"],
        &[run(Base62, 36, 40)],
    ),
];
