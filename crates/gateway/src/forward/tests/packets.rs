//! Answers of git, whose packets say how long they are.

use ringfence_model::Action;
use ringfence_model::git::{GitOperation, GitRequest, GitService, GitUpstream, RepoId};

use super::upstream::{Ca, Speaks, Upstream, reply};
use super::world::{SECRET, World, get, read};

const RULES: &str = "git:\n  - allow: { repo: github/acme/docs, access: read, credential: github }";

#[tokio::test]
async fn a_credential_in_an_answer_of_git_is_taken_out_and_every_packet_stays_as_long_as_it_says() {
    let ca = Ca::new();
    let packet = |text: &str| format!("{:04x}\u{2}{text}", text.len() + 5);
    let answer = |value: &str| format!("{}{}0000", packet(value), packet("more"));
    let sent = answer(&format!("the token {SECRET} is old"));
    let upstream = Upstream::start(&ca, Speaks::Http1, move |_| {
        let sent = sent.clone();
        async move { reply(sent) }
    });
    let upstream = upstream.await;
    let world = World::at(&ca, &[("github.com", upstream.address)], RULES);
    let github = GitUpstream::builtin().swap_remove(0);
    let action = Action::Git(GitRequest {
        destination: github.destination.clone(),
        repo: RepoId::new(&github, "acme/docs").unwrap(),
        operation: GitOperation::Discover {
            service: GitService::UploadPack,
        },
    });
    let permit = world.gateway.decide(&world.session, action, None).unwrap();
    let request = get("https://github.com/acme/docs.git/info/refs?service=git-upload-pack");
    let (gateway, session) = (&world.gateway, &world.session);
    let response = gateway.forward(session, &world.pool, permit, request).await;
    let got = read(response.unwrap()).await.unwrap();
    let masked = "*".repeat(SECRET.len());
    assert_eq!(got.text(), answer(&format!("the token {masked} is old")));
}
