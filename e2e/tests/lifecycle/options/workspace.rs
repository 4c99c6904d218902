//! `--workspace`: another directory than the current one, at its own path.

use std::fs;

use ringfence_e2e::Host;

#[test]
fn the_command_starts_in_the_workspace_and_sees_nothing_beside_it() {
    let host = Host::new();
    let other = host.user().dir("other place").unwrap();
    host.file("in-project", "hunter2");
    let ended = host
        .run()
        .option("--workspace", &other.display().to_string())
        .sh("pwd; echo x > written; ls ../project");
    assert_eq!(ended.stdout, format!("{}\n", other.display()), "{ended}");
    assert_eq!(fs::read_to_string(other.join("written")).unwrap(), "x\n");
}

#[test]
fn a_directory_below_the_workspace_is_where_the_command_starts() {
    let host = Host::new();
    let below = host.user().dir("project/src/deep").unwrap();
    let workspace = host.project().display().to_string();
    let ended = host
        .run()
        .current_dir(&below)
        .option("--workspace", &workspace)
        .sh("pwd; touch ../../beside");
    assert_eq!(ended.stdout, format!("{}\n", below.display()), "{ended}");
    assert!(host.project().join("beside").exists());
}

#[test]
fn odd_names_are_no_trouble() {
    let host = Host::new();
    let odd = host.user().dir("a:b,c \\d\n'e\"ü").unwrap();
    fs::write(odd.join("file"), "odd\n").unwrap();
    for flags in [&[][..], &["--overlay"], &["--read-only"]] {
        let run = flags
            .iter()
            .fold(host.run().current_dir(&odd), |run, flag| run.flag(flag));
        let ended = run.sh("cat file");
        assert_eq!(ended.stdout, "odd\n", "{flags:?}: {ended}");
    }
}
