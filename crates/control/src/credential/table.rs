//! The table of kinds: what each is called, what it is, and which settings and secret fields it has.

use super::kind::{Field, Kind};

/// One kind.
pub(super) struct Row {
    pub(super) name: &'static str,
    pub(super) about: &'static str,
    pub(super) settings: &'static [Field],
    pub(super) secrets: &'static [Field],
}

const fn required(name: &'static str, about: &'static str) -> Field {
    Field {
        name,
        is_required: true,
        about,
    }
}

const fn optional(name: &'static str, about: &'static str) -> Field {
    Field {
        name,
        is_required: false,
        about,
    }
}

const TOKEN_URL: Field = required("token_url", "where the issuer gives out access tokens");
const CLIENT_ID: Field = required("client_id", "who asks, as the issuer knows it");
const CLIENT_AUTH: Field = optional(
    "client_auth",
    "how the client proves itself to the issuer: basic (default) or body",
);
const PARAMETERS: Field = optional(
    "parameters",
    "further fields of the request, as NAME=VALUE&NAME=VALUE",
);
const SCOPE: Field = optional("scope", "the scopes to ask for, separated by spaces");
const PRIVATE_KEY: Field = required("private_key", "the private key, in PEM");
const ACCESS_KEY: Field = required("access_key", "the access key id");
const REGION: Field = required("region", "for example eu-central-1");
const SERVICE: Field = required("service", "for example s3");
const SECRET_KEY: Field = required("secret_key", "the secret access key");

impl Kind {
    pub(super) const fn row(self) -> &'static Row {
        match self {
            Self::Header => &HEADER,
            Self::Bearer => &BEARER,
            Self::Basic => &BASIC,
            Self::Query => &QUERY,
            Self::Oauth2ClientCredentials => &OAUTH2_CLIENT_CREDENTIALS,
            Self::Oauth2RefreshToken => &OAUTH2_REFRESH_TOKEN,
            Self::Oauth2Login => &OAUTH2_LOGIN,
            Self::JwtBearer => &JWT_BEARER,
            Self::GithubApp => &GITHUB_APP,
            Self::AwsSigv4 => &AWS_SIGV4,
            Self::AwsAssumeRole => &AWS_ASSUME_ROLE,
            Self::AzureEntra => &AZURE_ENTRA,
            Self::GcpServiceAccount => &GCP_SERVICE_ACCOUNT,
            Self::Mtls => &MTLS,
            Self::SshKey => &SSH_KEY,
        }
    }
}

const HEADER: Row = Row {
    name: "header",
    about: "a header with a fixed value",
    settings: &[
        required("name", "the header, for example x-api-key"),
        optional(
            "prefix",
            "what stands before the value, for example `token `",
        ),
    ],
    secrets: &[required("value", "the value of the header")],
};

const BEARER: Row = Row {
    name: "bearer",
    about: "a fixed token in `Authorization: Bearer`",
    settings: &[],
    secrets: &[required("value", "the token")],
};

const BASIC: Row = Row {
    name: "basic",
    about: "a user and a password in `Authorization: Basic`",
    settings: &[optional(
        "username",
        "the user; none for tokens sent as a password",
    )],
    secrets: &[required("password", "the password")],
};

const QUERY: Row = Row {
    name: "query",
    about: "a parameter of the query with a fixed value",
    settings: &[required("name", "the parameter, for example api_key")],
    secrets: &[required("value", "the value of the parameter")],
};

const OAUTH2_CLIENT_CREDENTIALS: Row = Row {
    name: "oauth2-client-credentials",
    about: "access tokens by OAuth 2.0 client credentials",
    settings: &[
        TOKEN_URL,
        CLIENT_ID,
        CLIENT_AUTH,
        SCOPE,
        optional("audience", "whom the token is for"),
        optional("resource", "what the token is for (RFC 8707)"),
        PARAMETERS,
    ],
    secrets: &[required("client_secret", "the client's secret")],
};

const OAUTH2_REFRESH_TOKEN: Row = Row {
    name: "oauth2-refresh-token",
    about: "access tokens by an OAuth 2.0 refresh token",
    settings: &[TOKEN_URL, CLIENT_ID, CLIENT_AUTH, SCOPE, PARAMETERS],
    secrets: &[
        required("refresh_token", "the refresh token; a new one is kept"),
        optional("client_secret", "the client's secret, unless it is public"),
    ],
};

const OAUTH2_LOGIN: Row = Row {
    name: "oauth2-login",
    about: "an access token by a login of yours, made by `ringfence mcp login`",
    settings: &[
        required("server", "the MCP server that was logged in to"),
        required("issuer", "who gave the tokens, and no other gets them"),
        required("resource", "what they are for (RFC 8707)"),
        TOKEN_URL,
        CLIENT_ID,
        CLIENT_AUTH,
        SCOPE,
        optional("revocation_url", "where tokens are given back (RFC 7009)"),
        optional(
            "addresses",
            "networks that the issuer may be in, separated by commas; else public addresses only",
        ),
        optional(
            "expires",
            "when an access token without a refresh token ends",
        ),
    ],
    secrets: &[
        optional("refresh_token", "the refresh token; a new one is kept"),
        optional(
            "access_token",
            "or an access token, where there is no other",
        ),
        optional("client_secret", "the client's secret, unless it is public"),
    ],
};

const JWT_BEARER: Row = Row {
    name: "jwt-bearer",
    about: "access tokens by a signed assertion (RFC 7523), as Salesforce wants",
    settings: &[
        TOKEN_URL,
        required("issuer", "the claim `iss`, for Salesforce the consumer key"),
        required("subject", "the claim `sub`, for Salesforce the user"),
        required("audience", "the claim `aud`, for Salesforce its login URL"),
        optional(
            "algorithm",
            "RS256 (default), RS384, RS512, PS256, ES256 or ES384",
        ),
        optional("key_id", "the header `kid` of the assertion"),
        SCOPE,
    ],
    secrets: &[PRIVATE_KEY],
};

const GITHUB_APP: Row = Row {
    name: "github-app",
    about: "installation tokens of a GitHub App, for named repositories only",
    settings: &[
        required("app_id", "the id or the client id of the app"),
        required("installation_id", "the id of the installation"),
        required("repositories", "names without owner, separated by commas"),
        required(
            "permissions",
            "for example contents:read,pull_requests:write,metadata:read",
        ),
        optional(
            "api_url",
            "the API of the server; default https://api.github.com",
        ),
    ],
    secrets: &[PRIVATE_KEY],
};

const AWS_SIGV4: Row = Row {
    name: "aws-sigv4",
    about: "signatures by AWS Signature Version 4",
    settings: &[ACCESS_KEY, REGION, SERVICE],
    secrets: &[
        SECRET_KEY,
        optional("session_token", "the token of temporary keys"),
    ],
};

const AWS_ASSUME_ROLE: Row = Row {
    name: "aws-assume-role",
    about: "the same with temporary keys of a role, by AWS STS",
    settings: &[
        ACCESS_KEY,
        REGION,
        SERVICE,
        required(
            "role_arn",
            "the role, for example arn:aws:iam::123456789012:role/agents",
        ),
        optional("external_id", "what the trust policy of the role asks for"),
        optional(
            "session_name",
            "the session in the logs of AWS; default ringfence",
        ),
        optional("duration", "seconds from 900 to 43200; default 3600"),
        optional(
            "sts_url",
            "the service; default https://sts.REGION.amazonaws.com",
        ),
    ],
    secrets: &[SECRET_KEY],
};

const AZURE_ENTRA: Row = Row {
    name: "azure-entra",
    about: "access tokens of Microsoft Entra ID for an application",
    settings: &[
        required("tenant", "the directory, as an id or a domain"),
        CLIENT_ID,
        required("scope", "for example https://management.azure.com/.default"),
        optional(
            "authority",
            "the login service; default https://login.microsoftonline.com",
        ),
    ],
    secrets: &[
        optional("client_secret", "the application's secret"),
        optional("private_key", "or its private key, in PEM"),
        optional("certificate", "with the certificate of that key, in PEM"),
    ],
};

const GCP_SERVICE_ACCOUNT: Row = Row {
    name: "gcp-service-account",
    about: "access tokens of a Google Cloud service account",
    settings: &[
        required("scope", "the scopes to ask for, separated by spaces"),
        optional(
            "token_url",
            "where tokens are given out; default as in the key",
        ),
    ],
    secrets: &[required("key", "the key file of the account, in JSON")],
};

const MTLS: Row = Row {
    name: "mtls",
    about: "a client certificate for the TLS handshake",
    settings: &[],
    secrets: &[
        PRIVATE_KEY,
        required(
            "certificate",
            "the certificate and its intermediates, in PEM",
        ),
    ],
};

const SSH_KEY: Row = Row {
    name: "ssh-key",
    about: "a private key for a git server that is reached over SSH",
    settings: &[optional("user", "who logs in; default git")],
    secrets: &[required(
        "private_key",
        "the private key without a passphrase, as OpenSSH writes it or in PEM",
    )],
};
