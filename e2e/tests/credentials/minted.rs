//! Credentials that an issuer is asked for: the agent gets what it asked the API for, and never sees an access token.

use std::sync::Arc;

use ringfence_testkit::api::{ApiResponse, echo};
use ringfence_testkit::issuer::entra::{self, Entra};
use ringfence_testkit::issuer::github_app::{self, GithubApp};
use ringfence_testkit::issuer::jwt::Verifier;
use ringfence_testkit::issuer::keys::ClientKey;
use ringfence_testkit::issuer::oauth::OauthServer;
use ringfence_testkit::issuer::salesforce::{self, Salesforce};
use ringfence_testkit::issuer::{CLIENT_ID, CLIENT_SECRET};
use serde_json::json;

use super::desk::{Desk, acme_profile};

#[test]
fn an_application_in_entra_id_reads_azure_and_its_token_is_renewed_unnoticed() {
    let mut desk = Desk::new();
    let azure = Entra::start(desk.host.workdir(), &desk.ca).unwrap();
    for name in [entra::LOGIN, entra::MANAGEMENT] {
        desk.host.name(name, azure.https());
    }
    let (tenant, client) = (
        format!("tenant={}", entra::TENANT),
        format!("client_id={CLIENT_ID}"),
    );
    let scope = "scope=https://management.azure.com/.default";
    let kept = [
        "azure",
        "--kind",
        "azure-entra",
        "--host",
        entra::MANAGEMENT,
        "--set",
        &tenant,
        "--set",
        &client,
        "--set",
        scope,
    ];
    desk.keep(&kept, CLIENT_SECRET);
    desk.ringfence(&[
        "profile",
        "new",
        "azure-read",
        "--set",
        "subscriptions=0000",
    ]);
    let script = "
        get() { curl -sS --fail -H \"Authorization: Bearer $AZURE_ACCESS_TOKEN\" \"https://management.azure.com/subscriptions/0000/resourceGroups/web?api-version=2021-04-01\"; echo; }
        get > first; get >> first; step expired; get > second
        curl -sS -X DELETE \"https://management.azure.com/subscriptions/0000/resourceGroups/web?api-version=2021-04-01\"";
    let running = desk.spawn("azure-read", script);
    desk.wait_for("expired");
    azure.revoke_all();
    desk.go("expired");
    let ended = running.wait();
    assert!(ended.stdout.contains("method-not-allowed"), "{ended}");
    assert_eq!(
        desk.read("first").matches("westeurope").count(),
        2,
        "{ended}"
    );
    assert!(desk.read("second").contains("westeurope"), "{ended}");
    assert_eq!(azure.writes(), Vec::<String>::new());
    let minted = azure
        .requests()
        .iter()
        .filter(|it| it.path.ends_with("/token"))
        .count();
    assert_eq!(
        minted, 2,
        "once at first, and once after the token was refused"
    );
    desk.assert_not_inside(&[CLIENT_SECRET]);
}

#[test]
fn a_signed_assertion_opens_salesforce_and_only_the_instance_it_is_for() {
    let mut desk = Desk::new();
    let key = ClientKey::rsa(desk.host.workdir(), "app").unwrap();
    let verifier = Verifier::new(desk.host.workdir(), &key.public()).unwrap();
    let org = Salesforce::start(desk.host.workdir(), &desk.ca, verifier).unwrap();
    for name in [salesforce::LOGIN, salesforce::INSTANCE] {
        desk.host.name(name, org.https());
    }
    let (issuer, subject) = (
        format!("issuer={}", salesforce::CONSUMER_KEY),
        format!("subject={}", salesforce::USER),
    );
    let url = "token_url=https://login.salesforce.com/services/oauth2/token";
    let audience = "audience=https://login.salesforce.com";
    let kept = [
        "salesforce",
        "--kind",
        "jwt-bearer",
        "--host",
        salesforce::INSTANCE,
        "--set",
        url,
        "--set",
        &issuer,
        "--set",
        &subject,
        "--set",
        audience,
    ];
    desk.keep(&kept, &key.private_pem);
    desk.ringfence(&[
        "profile",
        "new",
        "salesforce",
        "--set",
        "host=acme.my.salesforce.com",
    ]);
    let ask = "
        curl -sS -H \"Authorization: Bearer $SF_ACCESS_TOKEN\" \"$SF_INSTANCE_URL/services/data/v60.0/sobjects/Account/describe\" > described
        curl -sS -d '{}' \"$SF_INSTANCE_URL/services/data/v60.0/sobjects/Account\"";
    let ended = desk.host.run().profile("salesforce").sh(ask);
    assert!(ended.stdout.contains("Ringfence refused this"), "{ended}");
    assert!(
        desk.read("described").contains("\"Account\""),
        "{}",
        desk.read("described")
    );
    assert_eq!(org.writes(), Vec::<String>::new());
    desk.assert_not_inside(&["session-of-salesforce"]);
    org.move_to("https://evil.test");
    let asked = org.requests().len();
    desk.host.run().profile("salesforce").sh(ask);
    let refused = desk.read("described");
    assert!(refused.contains("credential-unavailable"), "{refused}");
    let more = &org.requests()[asked..];
    assert!(
        more.iter().all(|it| it.path == "/services/oauth2/token"),
        "{more:?}"
    );
}

#[test]
fn a_github_app_gets_tokens_for_the_named_repositories_only() {
    let mut desk = Desk::new();
    let key = ClientKey::rsa(desk.host.workdir(), "app").unwrap();
    let app = GithubApp::new(Verifier::new(desk.host.workdir(), &key.public()).unwrap());
    let issuer = app.clone();
    let api = desk.api("api.github.com", move |request| {
        if let Some(answer) = issuer.answer(request) {
            return answer;
        }
        let sent = request.header("authorization").unwrap_or_default();
        let is_good = |it: &github_app::InstallationToken| sent == format!("Bearer {}", it.token);
        if !issuer.issued().iter().any(is_good) {
            return ApiResponse::json(401, &json!({"message": "Bad credentials"}));
        }
        ApiResponse::json(
            200,
            &json!({"private": true, "archived": false, "number": 7, "sent": sent}),
        )
    });
    let kept = [
        "github",
        "--kind",
        "github-app",
        "--host",
        "api.github.com",
        "--set",
        "app_id=424242",
        "--set",
        "installation_id=777",
        "--set",
        "repositories=web",
        "--set",
        "permissions=contents:read,metadata:read,pull_requests:write",
    ];
    desk.keep(&kept, &key.private_pem);
    desk.ringfence(&["profile", "new", "github-pr", "--set", "repos=acme/web"]);
    let ended = desk.host.run().profile("github-pr").sh(
        "gh api repos/acme/web/pulls -f title=T -f head=agent/x -f base=main > opened
         gh api repos/acme/web > read",
    );
    assert_eq!(ended.code, 0, "{ended}");
    assert!(desk.read("opened").contains("\"number\":7"), "{ended}");
    let [token] = app.issued().try_into().unwrap();
    assert_eq!(token.repositories, ["web"]);
    let permissions: Vec<_> = token
        .permissions
        .iter()
        .map(|(k, v)| format!("{k}:{v}"))
        .collect();
    assert_eq!(
        permissions,
        ["contents:read", "metadata:read", "pull_requests:write"]
    );
    desk.assert_not_inside(&[&token.token]);
    assert!(
        api.requests()
            .iter()
            .any(|it| it.method == "POST" && it.path.ends_with("/pulls"))
    );
}

#[test]
fn an_oauth_server_gives_out_access_tokens_for_a_secret_and_for_a_refresh_token_that_changes() {
    let mut desk = Desk::new();
    let issuer =
        Arc::new(OauthServer::start(desk.host.workdir(), &desk.ca, "login.acme.test").unwrap());
    desk.host.name("login.acme.test", issuer.https());
    let mut apis = Vec::new();
    for host in ["api.acme.test", "crm.acme.test"] {
        let issuer = Arc::clone(&issuer);
        apis.push(desk.api(host, move |request| {
            let sent = request.header("authorization").unwrap_or_default();
            match sent.strip_prefix("Bearer ") {
                Some(token) if issuer.accepts(token) => echo(request),
                _ => ApiResponse::new(401, "who are you?"),
            }
        }));
    }
    let client = format!("client_id={CLIENT_ID}");
    let usual = [
        "--set",
        "token_url=https://login.acme.test/token",
        "--set",
        &client,
    ];
    let first = [
        "acme",
        "--kind",
        "oauth2-client-credentials",
        "--host",
        "api.acme.test",
    ];
    desk.keep(&[&first[..], &usual].concat(), CLIENT_SECRET);
    let second = [
        "crm",
        "--kind",
        "oauth2-refresh-token",
        "--host",
        "crm.acme.test",
    ];
    let refresh = issuer.refresh_token().unwrap();
    let secrets = json!({"refresh_token": refresh, "client_secret": CLIENT_SECRET}).to_string();
    desk.keep(&[&second[..], &usual].concat(), &secrets);
    let profile =
        acme_profile("methods: [GET]") + "  - allow: { host: crm.acme.test, credential: crm }\n";
    desk.host.profile("api", &profile);
    for _ in 0..2 {
        let ended = desk.host.run().profile("api").sh(
            "curl -sS --fail https://api.acme.test/ >> got && curl -sS --fail https://crm.acme.test/ >> got",
        );
        assert_eq!(ended.code, 0, "{ended}");
    }
    assert_ne!(
        issuer.refresh_token().unwrap(),
        refresh,
        "each is good for one use"
    );
    assert_eq!(apis[0].requests().len() + apis[1].requests().len(), 4);
    desk.assert_not_inside(&[
        "access-1-of-the-oauth-server",
        "access-2-of-the-oauth-server",
        CLIENT_SECRET,
        &refresh,
    ]);
    // An issuer that does not answer denies, and says so.
    drop(apis);
    drop(issuer);
    let ended = desk
        .host
        .run()
        .profile("api")
        .sh("curl -sS https://api.acme.test/");
    assert!(ended.stdout.contains("credential-unavailable"), "{ended}");
    assert!(!ended.stdout.contains(CLIENT_SECRET), "{ended}");
}
