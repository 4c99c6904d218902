//! Questions of the gateway's own, within a permit for a push.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use http::HeaderValue;
use ringfence_model::Action;
use ringfence_model::git::{GitOperation, GitRequest, GitService, GitUpstream, RepoId};

use super::upstream::{Ca, Seen, Speaks, Upstream, reply};
use super::world::{SECRET, World};
use crate::{GitQuestion, Permit};

const RULES: &str = "git:\n  - allow: { repo: github/acme/web, access: write, refs: { \"refs/heads/agent/**\": [create] }, credential: github, tokenRequired: true }";

fn permit(world: &World) -> Permit {
    let upstream = GitUpstream::builtin().swap_remove(0);
    let action = Action::Git(GitRequest {
        destination: upstream.destination.clone(),
        repo: RepoId::new(&upstream, "acme/web").unwrap(),
        operation: GitOperation::Discover {
            service: GitService::ReceivePack,
        },
    });
    world.gateway.decide(&world.session, action, None).unwrap()
}

#[tokio::test]
async fn a_question_goes_by_the_token_of_the_push_and_never_carries_it() {
    let ca = Ca::new();
    let (sender, mut seen) = tokio::sync::mpsc::unbounded_channel::<Seen>();
    let upstream = Upstream::start(&ca, Speaks::Http1, move |seen| {
        sender.send(seen).unwrap();
        async { reply("ok") }
    });
    let upstream = upstream.await;
    let world = World::at(&ca, &[("github.com", upstream.address)], RULES);
    let permit = permit(&world);
    let ask = async |authorization: Option<HeaderValue>| {
        let question = GitQuestion {
            authorization,
            body: Bytes::from_static(b"0000"),
        };
        let (gateway, session) = (&world.gateway, &world.session);
        let asked = gateway.ask_git(session, &world.pool, &permit, question);
        asked.await.map(drop).map_err(|error| error.to_string())
    };
    let bearer = |token: &str| HeaderValue::try_from(format!("Bearer {token}")).ok();
    let missing = ask(None).await.unwrap_err();
    assert!(missing.contains("no token"), "{missing}");
    let foreign = ask(bearer(&format!("rf_{}", "x".repeat(43)))).await;
    assert!(foreign.unwrap_err().contains("does not count"));
    assert!(seen.try_recv().is_err());

    let token = world.issue(&["github"]);
    ask(bearer(&token)).await.unwrap();
    let seen = seen.recv().await.unwrap();
    let sent = seen.headers.get("authorization").unwrap();
    // GitHub takes a token over git as a password.
    let pair = STANDARD.encode(format!("x-access-token:{SECRET}"));
    assert_eq!(sent, &format!("Basic {pair}"));
    assert_eq!(seen.target, "/acme/web.git/git-upload-pack");
    assert!(!format!("{:?}", seen.headers).contains(&token));
}
