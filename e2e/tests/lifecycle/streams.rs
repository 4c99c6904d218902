//! Standard input, output and error: pipes, files and sockets, in order and whole.

use std::fs::{self, File};
use std::os::unix::fs::chown;
use std::process::Stdio;

use ringfence_e2e::Host;

/// An empty file of the person's.
fn file(host: &Host, name: &str) -> File {
    File::options()
        .read(true)
        .append(true)
        .open(host.home_file(name, ""))
        .unwrap()
}

#[test]
fn pipes_pass_in_both_directions() {
    let ended = Host::new()
        .run()
        .input("one\ntwo\n")
        .sh("tac; echo done >&2");
    assert_eq!(ended.code, 0, "{ended}");
    assert_eq!(ended.stdout, "two\none\n");
    assert_eq!(ended.stderr, "done\n");
}

#[test]
fn a_hundred_megabytes_pass_through_a_pipe() {
    let ended = Host::new()
        .run()
        .input(vec![0; 100_000_000])
        .sh("head -c 100000000 /dev/zero; sha256sum >&2");
    assert_eq!(ended.code, 0, "exit code {}: {}", ended.code, ended.stderr);
    assert_eq!(ended.stdout.len(), 100_000_000);
    let digest = "a993f8c574e0fea8c1cdcbcd9408d9e2e107ee6e4d120edcfa11decd53fa0cae";
    assert!(ended.stderr.starts_with(digest), "{}", ended.stderr);
}

#[test]
fn both_outputs_to_one_file_keep_their_order() {
    let host = Host::new();
    let out = file(&host, "both");
    let err = out.try_clone().unwrap();
    let script = "for i in 1 2 3; do echo out$i; echo err$i >&2; done";
    let status = host
        .command()
        .args(["run", "--", "sh", "-c", script])
        .stdout(out)
        .stderr(err)
        .status()
        .unwrap();
    assert!(status.success());
    let text = fs::read_to_string(host.home().join("both")).unwrap();
    assert_eq!(text, "out1\nerr1\nout2\nerr2\nout3\nerr3\n");
}

#[test]
fn streams_that_are_files_can_be_opened_again_by_name() {
    let host = Host::new();
    let input = host.home_file("in", "from the file\n");
    let script = "cat /dev/stdin; echo to stderr >> /dev/stderr; echo to stdout >> /dev/stdout";
    let status = host
        .command()
        .args(["run", "--", "sh", "-c", script])
        .stdin(File::open(input).unwrap())
        .stdout(file(&host, "out"))
        .stderr(file(&host, "err"))
        .status()
        .unwrap();
    assert!(status.success());
    let read = |name: &str| fs::read_to_string(host.home().join(name)).unwrap();
    assert_eq!(read("out"), "from the file\nto stdout\n");
    assert_eq!(read("err"), "to stderr\n");
}

#[test]
fn sockets_stay_outside_and_what_is_in_them_comes_through() {
    let host = Host::new();
    let (theirs, ours) = std::os::unix::net::UnixStream::pair().unwrap();
    let ended = host
        .run()
        .stdin(Stdio::from(std::os::fd::OwnedFd::from(theirs)))
        .spawn(&["sh", "-c", "readlink /proc/self/fd/0 | cut -d: -f1; cat"]);
    std::io::Write::write_all(&mut &ours, b"through a socket\n").unwrap();
    drop(ours);
    let ended = ended.wait();
    assert_eq!(ended.stdout, "pipe\nthrough a socket\n", "{ended}");
}

#[test]
fn a_reader_that_goes_away_ends_the_writer() {
    let host = Host::new();
    let mut child = host
        .command()
        .args(["run", "-q", "--", "sh", "-c", "trap '' HUP; exec yes"])
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    drop(child.stdout.take());
    let status = ringfence_testkit::poll::until("the end of the writer", || child.try_wait());
    assert_eq!(status.unwrap().code(), Some(128 + 13));
}

#[test]
fn a_file_of_somebody_elses_can_be_written_through_an_open_descriptor() {
    let host = Host::new();
    let path = host.home_file("theirs", "");
    let out = File::options().append(true).open(&path).unwrap();
    if host.user().is_switched() {
        chown(&path, Some(0), Some(0)).unwrap();
    }
    let status = host
        .command()
        .args(["run", "--", "echo", "written"])
        .stdout(out)
        .status()
        .unwrap();
    assert!(status.success());
    assert_eq!(fs::read_to_string(path).unwrap(), "written\n");
}
