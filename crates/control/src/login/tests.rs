//! Logging in to a server that is faithful on the wire, and to some that are not.

mod strangers;

use std::net::SocketAddr;

use ringfence_gateway::{Config, HostTarget};
use ringfence_model::Scheme;
use ringfence_model::mcp::McpServer;
use ringfence_testkit::api::ApiResponse;
use ringfence_testkit::issuer::authorization::{Authorization, KNOWN, LOGIN, PUBLIC, SERVER};
use ringfence_testkit::{Ca, Workdir};
use serde_json::{Value, json};

use super::*;
use crate::endpoint::Endpoint;

const RESOURCE: &str = "/.well-known/oauth-protected-resource/mcp";
const ISSUER: &str = "/.well-known/oauth-authorization-server";
const REDIRECT: &str = "http://127.0.0.1:4711/callback";

struct World {
    _workdir: Workdir,
    servers: Authorization,
    config: Config,
}

impl World {
    fn new() -> Self {
        let workdir = Workdir::new().unwrap();
        let ca = Ca::new(&workdir).unwrap();
        let servers = Authorization::start(&workdir, &ca).unwrap();
        let mut world = Self {
            config: Config::default(),
            servers,
            _workdir: workdir,
        };
        world.config.dial.extra_roots = vec![ca.certificate().to_owned()];
        for name in [LOGIN, SERVER] {
            world.lead(name, world.servers.https());
        }
        world
    }

    fn lead(&mut self, name: &str, to: SocketAddr) {
        let target = HostTarget {
            address: to.ip(),
            port: Some(to.port()),
        };
        self.config.dial.hosts.insert(name.parse().unwrap(), target);
    }

    fn outbound(&self) -> Outbound {
        Outbound::new(&self.config).unwrap()
    }

    async fn discover(&self, wanted: Wanted) -> Result<Login, LoginError> {
        Login::discover(target("https", SERVER, "/mcp"), wanted, &self.outbound()).await
    }

    async fn usual(&self) -> Result<Login, LoginError> {
        self.discover(automatic()).await
    }

    /// What the browser brings back.
    async fn browse(&self, ticket: &Ticket) -> String {
        let url = Endpoint::parse(ticket.url()).unwrap().url();
        let request = OwnRequest {
            method: "GET".to_owned(),
            url,
            headers: Vec::new(),
            body: Secret::new([]),
        };
        let answer = self.outbound().send(request).await.unwrap();
        let mut headers = answer.headers.iter();
        let found = headers.find(|(name, _)| name == "location");
        found.unwrap_or_else(|| panic!("{answer:?}")).1.clone()
    }

    /// Logs in, with a ticket that may be changed on its way.
    async fn log_in(&self, change: impl FnOnce(&mut Ticket)) -> Result<Tokens, LoginError> {
        let mut login = self.usual().await?;
        let mut ticket = login.begin(REDIRECT).await?;
        let code = ticket.pasted(&self.browse(&ticket).await)?;
        change(&mut ticket);
        login.redeem(&ticket, &code).await
    }
}

fn target(scheme: &str, host: &str, path: &str) -> Target {
    let scheme = match scheme {
        "http" => Scheme::Http,
        _ => Scheme::Https,
    };
    Target {
        server: McpServer {
            name: "lab".parse().unwrap(),
            destination: format!("{host}:443").parse().unwrap(),
            scheme,
            path: path.to_owned(),
            credential: None,
            trace: false,
        },
        networks: Vec::new(),
        credential: "lab".parse().unwrap(),
    }
}

fn automatic() -> Wanted {
    Wanted {
        issuer: None,
        scope: None,
        registration: Registration::Automatic,
    }
}

fn known(id: &str, secret: Option<&str>) -> Wanted {
    Wanted {
        registration: Registration::Known {
            id: id.to_owned(),
            secret: secret.map(Secret::new),
        },
        ..automatic()
    }
}

/// The words of a refusal.
fn words<T>(done: Result<T, LoginError>) -> String {
    match done {
        Ok(_) => panic!("it was taken"),
        Err(error) => {
            assert!(
                !format!("{error} {error:?}").contains("Zq8mLw3TxV7pRb2NcKd5"),
                "{error:?}"
            );
            error.to_string()
        }
    }
}

#[tokio::test]
async fn a_login_asks_for_what_the_server_wants_and_is_given_tokens_for_it() {
    let world = World::new();
    let login = world.usual().await.unwrap();
    assert_eq!(login.issuer(), "https://login.acme.test");
    assert_eq!(login.resource(), "https://protected.acme.test/mcp");
    assert_eq!(login.scope(), Some("tools offline_access"));
    let tokens = world.log_in(|_| {}).await.unwrap();
    assert!(tokens.are_renewed() && tokens.expires().is_some());
    assert!(!format!("{tokens:?}").contains("Zq8mLw3TxV7pRb2NcKd5"));
    let asked = world.servers.requests(SERVER);
    assert!(asked.iter().all(|it| it.header("authorization").is_none()));
}

#[tokio::test]
async fn a_code_is_worth_nothing_without_what_stayed_here() {
    let world = World::new();
    for change in [
        |ticket: &mut Ticket| ticket.verifier = Secret::new("x".repeat(43)),
        |ticket: &mut Ticket| ticket.redirect = "http://127.0.0.1:4712/callback".to_owned(),
    ] {
        let refused = words(world.log_in(change).await);
        assert!(
            refused.contains("invalid_grant (its explanation is not shown"),
            "{refused}"
        );
    }
    // Nor for another client, nor twice.
    let mut login = world.discover(known(PUBLIC, None)).await.unwrap();
    let ticket = login.begin(REDIRECT).await.unwrap();
    let code = ticket.pasted(&world.browse(&ticket).await).unwrap();
    let mut other = world.usual().await.unwrap();
    other.begin(REDIRECT).await.unwrap();
    assert!(words(other.redeem(&ticket, &code).await).contains("invalid_grant"));
    assert!(words(login.redeem(&ticket, &code).await).contains("invalid_grant"));
}

#[tokio::test]
async fn a_client_is_known_describes_itself_or_is_registered() {
    let world = World::new();
    let mut login = world.discover(known(KNOWN.0, Some(KNOWN.1))).await.unwrap();
    let ticket = login.begin(REDIRECT).await.unwrap();
    let code = ticket.pasted(&world.browse(&ticket).await).unwrap();
    login.redeem(&ticket, &code).await.unwrap();
    let basic = world.servers.token_requests().pop().unwrap();
    assert!(basic.header("authorization").is_some() && basic.form("client_secret").is_none());

    let document = |url: &str| Wanted {
        registration: Registration::Document(url.to_owned()),
        ..automatic()
    };
    let url = "https://acme.test/ringfence.json";
    let mut login = world.discover(document(url)).await.unwrap();
    assert!(words(login.begin(REDIRECT).await).contains("--client-metadata-url"));
    world.servers.members(
        ISSUER,
        json!({"client_id_metadata_document_supported": true}),
    );
    let mut login = world.discover(document(url)).await.unwrap();
    let ticket = login.begin(REDIRECT).await.unwrap();
    assert!(
        ticket
            .url()
            .contains("client_id=https%3A%2F%2Facme.test%2Fringfence.json")
    );
    for wrong in [
        "http://acme.test/x",
        "https://acme.test",
        "https://acme.test/",
    ] {
        let mut login = world.discover(document(wrong)).await.unwrap();
        assert!(login.begin(REDIRECT).await.is_err(), "{wrong}");
    }

    let all = world.servers.requests(LOGIN);
    assert!(all.iter().all(|it| it.path != "/register"));
    world
        .servers
        .members(ISSUER, json!({"registration_endpoint": null}));
    let mut login = world.usual().await.unwrap();
    assert!(words(login.begin(REDIRECT).await).contains("--client-id"));
}

#[tokio::test]
async fn a_registration_of_something_else_is_not_used() {
    let world = World::new();
    for members in [
        json!({"redirect_uris": ["http://127.0.0.1:4711/callback/", "https://evil.test"]}),
        json!({"client_id": ""}),
        json!({"client_id": "a\nb"}),
        json!({"client_id": null}),
        json!({"token_endpoint_auth_method": "private_key_jwt"}),
        json!({"token_endpoint_auth_method": "client_secret_basic"}),
    ] {
        world.servers.members("/register", members.clone());
        let mut login = world.usual().await.unwrap();
        assert!(login.begin(REDIRECT).await.is_err(), "{members}");
    }
}

#[tokio::test]
async fn an_authorization_server_that_a_person_names_is_the_one_or_none() {
    let world = World::new();
    let named = |issuer: &str| Wanted {
        issuer: Some(issuer.to_owned()),
        ..automatic()
    };
    assert!(words(world.discover(named("https://evil.test")).await).contains("does not name"));
    let two = json!({"authorization_servers": ["https://b.test", "https://login.acme.test"]});
    world.servers.members(RESOURCE, two);
    let login = world
        .discover(named("https://login.acme.test"))
        .await
        .unwrap();
    assert_eq!(login.issuer(), "https://login.acme.test");
    // A server that does not describe itself is believed nothing; the person is.
    world.servers.instead(RESOURCE, ApiResponse::new(404, ""));
    world.servers.challenge("Bearer");
    assert!(words(world.usual().await).contains("--issuer"));
    let login = world
        .discover(named("https://login.acme.test"))
        .await
        .unwrap();
    assert_eq!(login.resource(), "https://protected.acme.test/mcp");
}

#[tokio::test]
async fn tokens_that_are_not_bearer_tokens_are_not_kept() {
    let world = World::new();
    for (members, expected) in [
        (json!({"token_type": "DPoP"}), "bound to a key"),
        (json!({"token_type": "mac"}), "`token_type` is not `Bearer`"),
        (json!({"token_type": null}), "`token_type` is not `Bearer`"),
        (json!({"access_token": "a\nb"}), "no token has"),
        (json!({"access_token": null}), "is missing"),
        (json!({"refresh_token": "a b"}), "no token has"),
        (json!({"expires_in": -1}), "expires_in"),
    ] {
        world.servers.members("/token", members.clone());
        let refused = words(world.log_in(|_| {}).await);
        assert!(refused.contains(expected), "{members}: {refused}");
    }
    world.servers.members("/token", json!({"expires_in": null}));
    assert!(world.log_in(|_| {}).await.unwrap().expires().is_none());
}

#[tokio::test]
async fn words_of_an_authorization_server_repeat_no_secret() {
    let world = World::new();
    let refusal =
        json!({"error": "invalid_client", "error_description": format!("not {}", KNOWN.1)});
    world
        .servers
        .instead("/token", ApiResponse::json(400, &refusal));
    let mut login = world.discover(known(KNOWN.0, Some(KNOWN.1))).await.unwrap();
    let refused = words(login.by_client_credentials().await);
    assert!(
        !refused.contains(KNOWN.1) && refused.contains("invalid_client"),
        "{refused}"
    );
    let shown = format!("{:?}", known(KNOWN.0, Some(KNOWN.1)));
    assert!(!shown.contains(KNOWN.1), "{shown}");
}

#[tokio::test]
async fn a_server_without_tls_is_logged_in_to_on_this_machine_only() {
    let world = World::new();
    let plain = target("http", "mcp.acme.test", "/mcp");
    let refused = Login::discover(plain, automatic(), &world.outbound()).await;
    assert!(matches!(refused, Err(LoginError::Given(_))));
}

#[tokio::test]
async fn another_device_is_asked_until_the_person_is_done() {
    let world = World::new();
    let mut login = world.discover(known(PUBLIC, None)).await.unwrap();
    let ticket = login.begin_on_device().await.unwrap();
    assert_eq!(ticket.user_code, "WDJB-MJHT");
    assert!(login.finish_on_device(&ticket).await.unwrap().are_renewed());
    assert_eq!(world.servers.token_requests().len(), 2);
    world.servers.members(
        "/device",
        json!({"verification_uri": "javascript:alert(1)"}),
    );
    assert!(login.begin_on_device().await.is_err());
}
