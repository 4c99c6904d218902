//! What a server says to people reaches the agent without the credential, however the server cuts it into packets.

use super::forge::{Forge, TOKEN};

/// Says the token in one packet, and over two: `receive-pack` sends 128 octets at a time, and what it has got.
fn hook() -> String {
    let (one, other) = TOKEN.split_at(9);
    format!(
        "echo 'in one: {TOKEN}' >&2; sleep 0.2; printf '%0110d{TOKEN}\\n' 0 >&2; sleep 0.2
         printf 'in two: {one}' >&2; sleep 0.2; echo '{other}' >&2; exit 1"
    )
}

#[test]
fn a_credential_in_what_a_hook_says_is_taken_out_and_the_report_still_read() {
    let forge = Forge::start();
    forge.server.hook("acme/web", "update", &hook()).unwrap();
    let (steps, ended) = forge.steps(
        "git clone -q https://github.com/acme/web.git; cd web; git checkout -q -b agent/x
         echo 1 > n; git add n; git commit -qm 1; step push git push origin agent/x",
    );
    let words = ["in one: ***", "in two: REDACTED", "hook declined"];
    steps["push"].assert_refused("push", &words);
    assert!(!ended.stderr.contains(TOKEN), "{ended}");
    let is_push = |event: &&serde_json::Value| event["action"]["operation"] == "push";
    let push = ended.events.iter().find(is_push).unwrap();
    let result = &push["closing"]["git"]["updates"][0];
    assert_eq!(result["refused"], "hook declined", "{push}");
}
