//! A command that does not end, or stops itself, keeps nobody from ending the run.

use std::fs;
use std::io::Read;
use std::process::Stdio;
use std::time::{Duration, Instant};

use ringfence_e2e::{Host, Running};
use ringfence_testkit::poll;
use rustix::process::Signal;

fn start(host: &Host, script: &str) -> Running {
    let running = host.run().spawn(&["sh", "-c", script]);
    let ready = host.project().join("ready");
    poll::until_true("a file of the command", || ready.exists()).unwrap();
    running
}

const STUBBORN: &str = "trap '' TERM INT HUP; : > ready; while :; do sleep 1; done";

#[test]
fn a_command_that_ignores_the_end_is_ended_after_a_while() {
    let host = Host::new();
    let running = start(&host, STUBBORN);
    let started = Instant::now();
    running.signal(Signal::TERM);
    assert_eq!(running.wait().code, 143);
    assert!(started.elapsed() >= Duration::from_secs(9));
}

#[test]
fn the_third_interrupt_ends_the_run() {
    let host = Host::new();
    let running = start(&host, STUBBORN);
    interrupt_until_it_ends(&running, Signal::INT);
    assert_eq!(running.wait().code, 130);
}

/// Signals of a kind that wait together count as one, so there may be more than are needed.
fn interrupt_until_it_ends(running: &Running, signal: Signal) {
    let status = format!("/proc/{}/status", running.pid());
    let ended = poll::until_true("the end of the program", || {
        running.signal(signal);
        fs::read_to_string(&status).is_ok_and(|status| status.contains("State:\tZ"))
    });
    ended.unwrap();
}

/// Does the rest of a script once the command has stopped itself.
const ONCE_STOPPED: &str = "until grep -q 'State:.T' /proc/$$/status; do :; done";

#[test]
fn a_command_that_stops_itself_does_not_stop_the_run() {
    let host = Host::new();
    let script = format!("({ONCE_STOPPED}; kill -CONT $$) & kill -STOP $$; echo continued");
    let ended = host.run().sh(&script);
    assert_eq!((ended.code, ended.stdout.as_str()), (0, "continued\n"));
}

#[test]
fn a_stopped_command_can_be_ended() {
    let host = Host::new();
    let script = format!("({ONCE_STOPPED}; : > ready) & kill -STOP $$; echo continued");
    let running = start(&host, &script);
    running.signal(Signal::TERM);
    let ended = running.wait();
    assert_eq!((ended.code, ended.stdout.as_str()), (143, ""), "{ended}");
}

#[test]
fn output_that_nobody_reads_does_not_keep_a_run() {
    let host = Host::new();
    let mut child = host
        .command()
        .args(["run", "-q", "--", "sh", "-c"])
        .arg("head -c 100000 /dev/zero; : > written")
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let written = host.project().join("written");
    poll::until_true("the end of the command", || written.exists()).unwrap();
    let pid = rustix::process::Pid::from_child(&child);
    let status = poll::until("the end of the run", || {
        rustix::process::kill_process(pid, Signal::TERM)?;
        child.try_wait()
    });
    assert_eq!(status.unwrap().code(), Some(143));
    let mut read = Vec::new();
    child.stdout.take().unwrap().read_to_end(&mut read).unwrap();
    assert!(read.len() >= 65_536, "{}", read.len());
}
