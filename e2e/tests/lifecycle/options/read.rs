//! `--read`: a further path of the host, which can be read and not written.

use std::fs;

use ringfence_e2e::Host;

#[test]
fn a_path_that_was_asked_for_is_there_and_others_are_not() {
    let host = Host::new();
    let data = host.home_file("data/table", "rows\n");
    host.home_file("private/table", "hunter2\n");
    let shown = data.parent().unwrap().display().to_string();
    let ended = host.run().option("--read", &shown).sh(
        "cat ../data/table; echo x > ../data/table || echo refused; touch ../data/new || echo refused; ls ../private",
    );
    assert_eq!(ended.stdout, "rows\nrefused\nrefused\n", "{ended}");
    assert_eq!(fs::read_to_string(data).unwrap(), "rows\n");
}

#[test]
fn ringfences_own_records_are_never_shown() {
    let host = Host::new();
    assert_eq!(host.run().exec(&["true"]).code, 0);
    let data = host.data().display().to_string();
    let ended = host.run().option("--read", &data).exec(&["true"]);
    assert_eq!(ended.code, 64, "{ended}");
}
