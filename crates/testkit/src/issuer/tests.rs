//! The services behind the issuers, asked by curl.

use std::net::SocketAddr;

use serde_json::{Value, json};

use super::entra::{self, Entra};
use super::jwt::{Verifier, now, tests::token};
use super::keys::ClientKey;
use super::salesforce::{self, Salesforce};
use super::{CLIENT_ID, CLIENT_SECRET};
use crate::process::{command, run};
use crate::{Ca, Workdir};

struct Curl<'a> {
    ca: &'a Ca,
    host: &'a str,
    address: SocketAddr,
}

impl Curl<'_> {
    /// The status and the body.
    fn ask(&self, path: &str, arguments: &[&str]) -> (u16, Value) {
        let (host, port) = (self.host, self.address.port());
        let mut curl = command("curl");
        curl.args(["-sS", "-w", "\n%{http_code}", "--cacert"]);
        curl.arg(self.ca.certificate());
        curl.args(["--resolve", &format!("{host}:{port}:127.0.0.1")]);
        curl.args(arguments);
        let output = run(curl.arg(format!("https://{host}:{port}{path}"))).unwrap();
        let text = String::from_utf8(output.stdout).unwrap();
        let (body, status) = text.rsplit_once('\n').unwrap();
        (
            status.parse().unwrap(),
            serde_json::from_str(body).unwrap_or_default(),
        )
    }

    fn form(&self, path: &str, fields: &[(&str, &str)]) -> (u16, Value) {
        let fields: Vec<_> = fields
            .iter()
            .map(|(name, value)| format!("{name}={value}"))
            .collect();
        let arguments: Vec<_> = fields
            .iter()
            .flat_map(|field| ["--data-urlencode", field])
            .collect();
        self.ask(path, &arguments)
    }
}

#[test]
fn azure_answers_reads_with_a_token_and_a_version_only() {
    let workdir = Workdir::new().unwrap();
    let ca = Ca::new(&workdir).unwrap();
    let server = Entra::start(&workdir, &ca).unwrap();
    let at = |host| Curl {
        ca: &ca,
        host,
        address: server.https(),
    };
    let path = format!("/{}/oauth2/v2.0/token", entra::TENANT);
    let mut fields = vec![
        ("grant_type", "client_credentials"),
        ("client_id", CLIENT_ID),
        ("scope", "https://management.azure.com/.default"),
        ("client_secret", CLIENT_SECRET),
    ];
    let (status, granted) = at(entra::LOGIN).form(&path, &fields);
    assert_eq!((status, &granted["token_type"]), (200, &json!("Bearer")));
    let header = format!(
        "Authorization: Bearer {}",
        granted["access_token"].as_str().unwrap()
    );
    let arm = at(entra::MANAGEMENT);
    let group = format!("{}?api-version=2021-04-01", entra::GROUP);
    assert_eq!(
        arm.ask(&group, &["-H", &header]).1["location"],
        "westeurope"
    );
    assert_eq!(arm.ask(entra::GROUP, &["-H", &header]).0, 400);
    assert_eq!(arm.ask(&group, &[]).0, 401);
    assert_eq!(arm.ask(&group, &["-H", &header, "-X", "DELETE"]).0, 202);
    assert_eq!(server.writes(), [format!("DELETE {}", entra::GROUP)]);
    server.revoke_all();
    assert_eq!(arm.ask(&group, &["-H", &header]).0, 401);
    fields.pop();
    assert_eq!(
        at(entra::LOGIN).form(&path, &fields).1["error"],
        "invalid_client"
    );
}

#[test]
fn salesforce_answers_query_and_describe_with_a_session_only() {
    let workdir = Workdir::new().unwrap();
    let ca = Ca::new(&workdir).unwrap();
    let key = ClientKey::rsa(&workdir, "app").unwrap();
    let verifier = Verifier::new(&workdir, &key.public()).unwrap();
    let server = Salesforce::start(&workdir, &ca, verifier).unwrap();
    let at = |host| Curl {
        ca: &ca,
        host,
        address: server.https(),
    };
    let ask = |audience: &str, ends: u64| {
        let claims = json!({
            "iss": salesforce::CONSUMER_KEY, "sub": salesforce::USER, "aud": audience, "exp": ends,
        });
        let assertion = token(&workdir, &key, &claims);
        let grant = "urn:ietf:params:oauth:grant-type:jwt-bearer";
        let fields = [("grant_type", grant), ("assertion", &assertion)];
        at(salesforce::LOGIN).form("/services/oauth2/token", &fields)
    };
    assert_eq!(ask("https://evil.test", now() + 60).0, 400);
    assert_eq!(ask("https://login.salesforce.com", now() + 3600).0, 400);
    let (status, session) = ask("https://login.salesforce.com", now() + 60);
    assert_eq!((status, session.get("expires_in")), (200, None));
    let header = format!(
        "Authorization: Bearer {}",
        session["access_token"].as_str().unwrap()
    );
    let data = at(salesforce::INSTANCE);
    let query = "/services/data/v60.0/query?q=SELECT+Name+FROM+Account";
    assert_eq!(
        data.ask(query, &["-H", &header]).1["records"][0]["Name"],
        "Acme"
    );
    let describe = "/services/data/v60.0/sobjects/Account/describe";
    assert_eq!(data.ask(describe, &["-H", &header]).1["name"], "Account");
    assert_eq!(data.ask(query, &[]).0, 401);
    let post = ["-H", &header, "--data", "{}"];
    assert_eq!(
        data.ask("/services/data/v60.0/sobjects/Account", &post).0,
        201
    );
    assert_eq!(
        server.writes(),
        ["POST /services/data/v60.0/sobjects/Account"]
    );
    server.end_sessions();
    assert_eq!(data.ask(query, &["-H", &header]).0, 401);
}
