use ringfence_gateway::{Config, HostTarget};
use ringfence_testkit::issuer::vault::{HOST, Vault};
use ringfence_testkit::{Ca, Workdir};
use serde_json::json;

use super::*;

const TOKEN: &str = "hvs.CAESIJ-canary-token";

struct World {
    workdir: Workdir,
    vault: Vault,
    outbound: Outbound,
}

fn world() -> World {
    let workdir = Workdir::new().unwrap();
    let ca = Ca::new(&workdir).unwrap();
    let vault = Vault::start(&workdir, &ca, TOKEN).unwrap();
    vault.put("secret/agents/web", json!({"token": "hunter2", "count": 3}));
    let mut config = Config::default();
    config.dial.extra_roots = vec![ca.certificate().to_owned()];
    let target = HostTarget {
        address: vault.https().ip(),
        port: Some(vault.https().port()),
    };
    config.dial.hosts.insert(HOST.parse().unwrap(), target);
    let outbound = Outbound::new(&config).unwrap();
    World {
        workdir,
        vault,
        outbound,
    }
}

fn sources(vault: serde_json::Value, token: Option<&str>) -> Sources {
    let config = serde_json::from_value(json!({"vault": vault})).unwrap();
    Sources::new(config, token.map(Secret::new))
}

impl World {
    async fn ask(&self, sources: &Sources, text: &str) -> Result<Secret, String> {
        let source: SourceRef = text.parse().unwrap();
        let given = sources.resolve(&source, &self.outbound).await;
        given.map_err(|error| {
            let shown = format!("{error} {error:?}");
            for secret in [TOKEN, "hunter2", "canary"] {
                assert!(!shown.contains(secret), "{shown}");
            }
            error.to_string()
        })
    }
}

#[tokio::test]
async fn a_secret_of_a_vault_is_read_anew_each_time() {
    let world = world();
    let sources = sources(json!({"address": "https://vault.acme.test"}), Some(TOKEN));
    let wanted = "vault:secret/agents/web#token";
    assert_eq!(
        world.ask(&sources, wanted).await,
        Ok(Secret::new("hunter2"))
    );
    world
        .vault
        .put("secret/agents/web", json!({"token": "hunter3"}));
    assert_eq!(
        world.ask(&sources, wanted).await,
        Ok(Secret::new("hunter3"))
    );
    world.vault.delete("secret/agents/web");
    assert!(
        world
            .ask(&sources, wanted)
            .await
            .unwrap_err()
            .contains("deleted")
    );
    let requests = world.vault.requests();
    let first = requests.first().unwrap();
    assert_eq!(first.header("x-vault-request"), Some("true"));
}

#[tokio::test]
async fn a_vault_that_does_not_give_it_is_told_without_its_words() {
    let world = world();
    let address = json!({"address": "https://vault.acme.test"});
    let good = sources(address.clone(), Some(TOKEN));
    for (text, expected) in [
        ("vault:secret/agents/none#token", "no such secret"),
        ("vault:secret/agents/web#password", "no such field"),
        ("vault:secret/agents/web#count", "not a string"),
    ] {
        let error = world.ask(&good, text).await.unwrap_err();
        assert!(error.contains(expected), "{error}");
    }
    let wanted = "vault:secret/agents/web#token";
    let wrong = sources(address.clone(), Some("hvs.canary"));
    assert!(
        world
            .ask(&wrong, wanted)
            .await
            .unwrap_err()
            .contains("may not read")
    );
    let none = sources(address, None);
    assert!(
        world
            .ask(&none, wanted)
            .await
            .unwrap_err()
            .contains("VAULT_TOKEN")
    );
    let nowhere = Sources::default();
    assert!(
        world
            .ask(&nowhere, wanted)
            .await
            .unwrap_err()
            .contains("sources.vault")
    );
    world.vault.seal(true);
    assert!(
        world
            .ask(&good, wanted)
            .await
            .unwrap_err()
            .contains("sealed")
    );
}

#[tokio::test]
async fn the_token_may_be_in_a_file_and_the_secret_in_a_namespace() {
    let world = world();
    world.vault.set_namespace("team/agents");
    let file = world.workdir.file("token", format!("{TOKEN}\n")).unwrap();
    let readable = std::os::unix::fs::PermissionsExt::from_mode(0o644);
    std::fs::set_permissions(&file, readable).unwrap();
    let config = json!({
        "address": "https://vault.acme.test/",
        "namespace": "team/agents",
        "token_file": file,
    });
    let sources = sources(config, None);
    let wanted = "vault:secret/agents/web#token";
    assert!(
        world
            .ask(&sources, wanted)
            .await
            .unwrap_err()
            .contains("0600")
    );
    let own = std::os::unix::fs::PermissionsExt::from_mode(0o600);
    std::fs::set_permissions(&file, own).unwrap();
    assert_eq!(
        world.ask(&sources, wanted).await,
        Ok(Secret::new("hunter2"))
    );
}

#[tokio::test]
async fn a_vault_that_cannot_be_reached_is_no_secret() {
    let world = world();
    let elsewhere = sources(json!({"address": "http://127.0.0.1:1"}), Some(TOKEN));
    let error = world
        .ask(&elsewhere, "vault:secret/agents/web#token")
        .await
        .unwrap_err();
    assert!(error.contains("cannot be reached"), "{error}");
}

#[tokio::test]
async fn only_a_command_that_is_listed_is_run() {
    let world = world();
    let config = json!({"commands": [["/bin/echo", "hello"], ["/bin/sh"]]});
    let sources = Sources::new(serde_json::from_value(config).unwrap(), None);
    let given = world
        .ask(&sources, "command:/bin/echo hello  $HOME;id")
        .await;
    assert_eq!(given, Ok(Secret::new("hello $HOME;id\n")));
    for text in ["command:/bin/echo canary", "command:/bin/cat /etc/passwd"] {
        let error = world.ask(&sources, text).await.unwrap_err();
        assert!(error.contains("sources.commands"), "{error}");
    }
    let script = world
        .workdir
        .file("fails", "echo hunter2; echo hunter2 >&2; exit 3")
        .unwrap();
    let error = world
        .ask(&sources, &format!("command:/bin/sh {}", script.display()))
        .await;
    assert!(error.unwrap_err().contains("failed"));
    let unlisted = world
        .ask(&Sources::default(), "command:/bin/echo hello")
        .await;
    assert!(unlisted.is_err());
}

#[tokio::test(start_paused = true)]
async fn a_command_that_hangs_is_given_up() {
    let config = json!({"commands": [["/bin/sleep"]]});
    let sources = Sources::new(serde_json::from_value(config).unwrap(), None);
    let started = tokio::time::Instant::now();
    let words = ["/bin/sleep", "1000"].map(str::to_owned).to_vec();
    let error = sources.run(&words).await.unwrap_err();
    assert!(error.to_string().contains("in time"), "{error}");
    assert_eq!(started.elapsed().as_secs(), limits::COMMAND_WAIT.as_secs());
}

#[test]
fn a_reference_has_one_form() {
    for text in [
        "vault:secret/a#b",
        "command:/usr/bin/pass show a",
        "file:/run/secrets/a b",
    ] {
        assert_eq!(text.parse::<SourceRef>().unwrap().to_string(), text);
    }
    for text in [
        "",
        "vault:",
        "vault:a",
        "command:pass show",
        "file:secret",
        "env:TOKEN",
        "/a",
    ] {
        let error = text.parse::<SourceRef>().unwrap_err();
        assert!(matches!(error, SourceError::Reference(_)), "{text}");
    }
}
