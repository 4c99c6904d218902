//! `--json-report`, `--quiet` and the summary.

use std::fs;

use ringfence_e2e::Host;
use serde_json::Value;

const ATTEMPT: &str = "curl -s http://denied.test/ > /dev/null; echo x > .envrc; exit 4";

#[test]
fn the_report_tells_what_was_denied_and_kept_apart() {
    let host = Host::new();
    let report = host.home().join("report.json");
    let ended = host
        .run()
        .option("--json-report", &report.display().to_string())
        .sh(ATTEMPT);
    assert_eq!(ended.code, 4, "{ended}");
    let report: Value = serde_json::from_slice(&fs::read(report).unwrap()).unwrap();
    assert_eq!(report["version"], 1);
    assert_eq!(report["exit_code"], 4);
    assert_eq!(report["counts"]["denied"], 1);
    let denied = &report["counts"]["denied_by_destination"][0];
    assert_eq!(denied["destination"]["host"], "denied.test");
    assert_eq!(denied["next_step"], "ringfence allow denied.test:80");
    let change = &report["private_changes"][0];
    assert_eq!(
        change["path"],
        host.project().join(".envrc").display().to_string()
    );
}

#[test]
fn the_summary_says_it_in_words_and_quiet_does_not() {
    let host = Host::new();
    let ended = host.run().sh(ATTEMPT);
    for words in [
        "1 denied",
        "ringfence allow denied.test:80",
        ".envrc",
        "overlay diff",
    ] {
        assert!(ended.stderr.contains(words), "{words}: {ended}");
    }
    let quiet = host.run().flag("--quiet").sh(ATTEMPT);
    assert_eq!((quiet.code, quiet.stderr.as_str()), (4, ""), "{quiet}");
}

#[test]
fn a_run_without_incidents_says_nothing() {
    let ended = Host::new().run().sh("echo quiet");
    assert_eq!(
        (ended.stdout.as_str(), ended.stderr.as_str()),
        ("quiet\n", "")
    );
}
