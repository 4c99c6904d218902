//! The addresses that people copy lead to the gateway too, by git's settings in the sandbox, and a
//! token is handed to git where a rule wants one.

use super::forge::{Forge, TOKEN};

#[test]
fn every_usual_spelling_is_cloned_from() {
    let forge = Forge::start();
    let urls = [
        "git@github.com:acme/docs.git",
        "ssh://git@github.com/acme/docs.git",
        "ssh://git@ssh.github.com:443/acme/docs.git",
        "git://github.com/acme/docs.git",
        "http://github.com/acme/docs.git",
        "https://github.com:443/acme/docs.git",
        "https://x-access-token@github.com/acme/docs.git",
        "https://somebody@github.com/acme/docs.git",
    ];
    let clones: Vec<String> = urls
        .iter()
        .enumerate()
        .map(|(at, url)| format!("git clone -q {url} copy{at}; cat copy{at}/README"))
        .collect();
    let ended = forge.works(&clones.join("\n"));
    assert_eq!(ended.stdout, "read me\n".repeat(urls.len()), "{ended}");
}

#[test]
fn the_spellings_of_azure_devops_lead_to_one_repository() {
    let mut forge = Forge::start();
    let rule = "  - allow: { repo: azure-devops/acme/site/web, access: read, credential: azure }\n";
    forge.rules(rule);
    let address = forge.server.https();
    forge.host.name("dev.azure.com", address);
    // What the gateway asks the server for; the server has no such host, so what counts is what was decided on.
    let (steps, ended) = forge.steps(
        "for url in https://acme@dev.azure.com/acme/site/_git/web git@ssh.dev.azure.com:v3/acme/site/web \
             acme@vs-ssh.visualstudio.com:v3/acme/site/web ssh://git@ssh.dev.azure.com/v3/acme/site/web; do
             step $url git ls-remote $url
         done",
    );
    assert_eq!(steps.len(), 4, "{ended}");
    let asked = ended
        .events
        .iter()
        .filter(|event| event["action"]["kind"] == "git");
    let repositories: Vec<&str> = asked
        .filter_map(|event| event["action"]["repo"].as_str())
        .collect();
    assert!(repositories.len() >= 4, "{repositories:?} {ended}");
    for repository in repositories {
        assert_eq!(repository, "azure-devops/acme/site/web", "{ended}");
    }
}

#[test]
fn git_is_handed_the_token_of_the_sandbox_where_a_rule_wants_one() {
    let forge = Forge::start();
    let rule = "  - allow: { repo: github/acme/docs, access: read, credential: forge, tokenRequired: true }\n";
    let token = "tokens:\n  - { env: [FORGE_TOKEN], credentials: [forge] }\n";
    forge.rules(&format!("{rule}{token}"));
    let ended = forge.works(
        "git clone -q git@github.com:acme/docs.git docs; cat docs/README
         if grep -q rf_ /etc/gitconfig docs/.git/config; then echo kept; fi",
    );
    assert_eq!(ended.stdout, "read me\n", "{ended}");
    assert!(!ended.stdout.contains(TOKEN));
    let (steps, _) =
        forge.steps("step bare env -u FORGE_TOKEN git ls-remote https://github.com/acme/docs.git");
    steps["bare"].assert_refused("bare", &[]);
}

#[test]
fn a_submodule_chooses_no_other_protocol() {
    let forge = Forge::start();
    let (steps, _) = forge.steps(
        "step other git ls-remote ext::sh\\ -c\\ true
         step plain git ls-remote git://example.com/acme/docs.git",
    );
    steps["plain"].assert_refused("plain", &["transport 'git' not allowed"]);
    steps["other"].assert_refused("other", &["transport 'ext' not allowed"]);
}
