//! The real coding agents, each with a task that takes a tool, through its own profile and nothing else: as a person would start it.
//!
//! `scripts/agents.sh` installs them.

use std::path::PathBuf;

use ringfence_e2e::Ended;

use super::lab::{KEY, Lab};

/// Where the agents are installed.
pub(crate) fn installed() -> PathBuf {
    let directory = std::env::var_os("RINGFENCE_AGENTS").map_or_else(
        || {
            let user = rustix::process::getuid().as_raw();
            PathBuf::from(format!("/var/tmp/ringfence-e2e-agents-{user}"))
        },
        PathBuf::from,
    );
    assert!(
        directory.join("bin").is_dir(),
        "the coding agents are not in {}: run scripts/agents.sh",
        directory.display()
    );
    directory
}

/// Runs an agent with its profile, in a home that holds nothing of it.
pub(super) fn run(lab: &Lab, profile: &str, program: &str, arguments: &[&str]) -> Ended {
    let directory = installed();
    let program = directory.join("bin").join(program);
    let program = program.to_string_lossy();
    let command = [&[&*program][..], arguments].concat();
    lab.host
        .run()
        .profile(profile)
        .option("--read", &directory.to_string_lossy())
        .env("TERM=xterm-256color")
        .exec(&command)
}

/// A task that takes one call of a tool.
pub(super) const TASK: &str = "RUN: echo made-by-the-agent > made.txt && cat made.txt";

/// The agent did the task, in two steps, with no key of the provider's anywhere.
pub(super) fn assert_done(lab: &Lab, ended: &Ended, path: &str) {
    assert_eq!(ended.code, 0, "{ended}\n{}", lab.provider.log());
    assert!(ended.stdout.contains("FINAL-OK"), "{ended}");
    let made = std::fs::read_to_string(lab.host.project().join("made.txt"));
    assert_eq!(made.unwrap_or_default(), "made-by-the-agent\n", "{ended}");
    assert!(!ended.to_string().contains(KEY), "{ended}");
    let requests = lab.requests();
    assert!(requests.len() >= 2, "{ended}");
    for request in &requests {
        assert!(
            request["path"].as_str().unwrap_or_default().contains(path),
            "{request}"
        );
        assert!(
            !request.to_string().contains("rf_"),
            "a token of ours went upstream"
        );
    }
    let paired = lab.events().iter().any(|event| {
        let new = event["closing"]["llm"]["new"].as_array().cloned();
        new.unwrap_or_default()
            .iter()
            .any(|item| item["kind"] == "tool-result")
    });
    assert!(
        paired,
        "no result of a tool is in the record: {:?}",
        lab.events()
    );
}

#[test]
fn claude_code_completes_a_task() {
    let lab = Lab::new();
    let ended = run(
        &lab,
        "claude-code",
        "claude",
        &["-p", TASK, "--allowedTools", "Bash"],
    );
    assert_done(&lab, &ended, "/v1/messages");
}

#[test]
fn codex_completes_a_task() {
    let lab = Lab::new();
    let arguments = [
        "exec",
        "-m",
        "gpt-5-codex",
        "--skip-git-repo-check",
        "--dangerously-bypass-approvals-and-sandbox",
        TASK,
    ];
    let ended = run(&lab, "codex", "codex", &arguments);
    assert_done(&lab, &ended, "/v1/responses");
}

/// The same over a WebSocket, of which each message is decided on.
#[test]
fn codex_completes_a_task_over_a_websocket() {
    let lab = Lab::new();
    let arguments = [&WITH_SOCKET[..], &["-m", "gpt-5-codex", TASK]].concat();
    let ended = run(&lab, "codex", "codex", &arguments);
    assert_done(&lab, &ended, "/v1/responses");
    let requests = lab.requests();
    let of = |method: &str| {
        let is_it = |it: &&serde_json::Value| it["method"] == method;
        requests.iter().filter(is_it).count()
    };
    assert_eq!(of("POST"), 0, "{ended}");
    assert_eq!(of("GET"), 1, "{ended}");
    assert!(of("MESSAGE") >= 2, "{ended}");
    let goes_on = |it: &serde_json::Value| it["body"]["previous_response_id"].is_string();
    assert!(requests.iter().any(goes_on), "{ended}");
}

/// It says what was refused, at once.
#[test]
fn codex_reports_what_was_refused_over_a_websocket() {
    let lab = Lab::with("models: [gpt-5-mini, claude-haiku-4-5, gemini-2.5-flash]");
    let arguments = [&WITH_SOCKET[..], &["-m", "gpt-5-codex", TASK]].concat();
    let ended = run(&lab, "models", "codex", &arguments);
    assert_ne!(ended.code, 0, "{ended}");
    assert!(ended.stderr.contains("Ringfence refused this"), "{ended}");
    assert!(!ended.stderr.contains("Reconnecting"), "{ended}");
    let mut messages = lab.requests();
    messages.retain(|it| it["method"] == "MESSAGE" || it["method"] == "POST");
    assert_eq!(messages.len(), 0, "{ended}");
}

const WITH_SOCKET: [&str; 5] = [
    "exec",
    "--skip-git-repo-check",
    "--dangerously-bypass-approvals-and-sandbox",
    "-c",
    "model_providers.ringfence.supports_websockets=true",
];

#[test]
fn gemini_cli_completes_a_task() {
    let lab = Lab::new();
    let arguments = [
        "--skip-trust",
        "--yolo",
        "-m",
        "gemini-2.5-flash",
        "-p",
        TASK,
    ];
    let ended = run(&lab, "gemini-cli", "gemini", &arguments);
    assert_done(&lab, &ended, ":streamGenerateContent");
}

#[test]
fn opencode_completes_a_task() {
    let lab = Lab::new();
    let arguments = ["run", "-m", "anthropic/claude-haiku-4-5", TASK];
    let ended = run(&lab, "opencode", "opencode", &arguments);
    assert_done(&lab, &ended, "/v1/messages");
}

/// What the person reads when a rule does not allow what the agent asks for: our words, from the agent's own mouth.
#[test]
fn an_agent_reports_what_was_refused() {
    let lab = Lab::with("models: [claude-haiku-4-5, gpt-5-mini, gemini-2.5-flash]");
    let directory = installed();
    let program = directory.join("bin/claude");
    let ended = lab
        .host
        .run()
        .profile("models")
        .option("--read", &directory.to_string_lossy())
        .exec(&[
            &program.to_string_lossy(),
            "--model",
            "claude-opus-4-5",
            "-p",
            "RUN: true",
        ]);
    assert_ne!(ended.code, 0, "{ended}");
    assert!(ended.stdout.contains("claude-opus-4-5"), "{ended}");
    assert!(ended.stdout.contains("Ringfence refused this"), "{ended}");
    assert_eq!(lab.requests().len(), 0, "{ended}");
}
