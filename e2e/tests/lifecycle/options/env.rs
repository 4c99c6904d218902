//! `--env`: the environment is built from nothing, and from what is asked for.

use ringfence_e2e::Host;

#[test]
fn variables_are_set_and_passed_on_by_name_only() {
    let ended = Host::new()
        .run()
        .outer_env("PASSED", "from outside")
        .outer_env("SECRET_TOKEN", "hunter2")
        .env("PASSED")
        .env("SET=a=b c")
        .env("PATH=/opt/own:/usr/bin:/bin")
        .sh(
            "echo \"$PASSED|$SET|$SECRET_TOKEN|$PATH\"; env; cat /proc/1/environ 2>/dev/null; true",
        );
    assert_eq!(ended.code, 0, "{ended}");
    let first = ended.stdout.lines().next().unwrap();
    assert_eq!(first, "from outside|a=b c||/opt/own:/usr/bin:/bin");
    assert!(!ended.stdout.contains("hunter2"), "{ended}");
}

#[test]
fn terminal_and_language_are_passed_on_by_themselves() {
    let run = Host::new();
    let ended = run
        .run()
        .outer_env("TERM", "xterm-256color")
        .outer_env("COLORTERM", "truecolor")
        .outer_env("LANG", "C.UTF-8")
        .sh("echo $TERM $COLORTERM $LANG");
    assert_eq!(
        ended.stdout, "xterm-256color truecolor C.UTF-8\n",
        "{ended}"
    );
}
