//! Job control: inside a sandbox, and of the sandbox itself.

use super::screen::Screen;

#[test]
fn a_shell_in_a_sandbox_stops_and_continues_its_jobs() {
    let mut screen = Screen::open();
    screen.sandbox();
    screen.begin("", "read line; echo got $line");
    screen.key("\x1a").wait_for("Stopped");
    screen.wait_for("$ ");
    screen.line("jobs").wait_for("Stopped");
    screen.wait_for("$ ");
    screen.line("fg").wait_for("read line");
    screen.line("abc").wait_for("got abc");
    screen.line("exit 4").prompt();
    assert_eq!(screen.code(), 4);
}

#[test]
fn the_persons_shell_stops_and_continues_the_whole_run() {
    let mut screen = Screen::open();
    screen.begin("ringfence run --", "read line; echo got $line; exit 9");
    screen.key("\x1a").wait_for("Stopped");
    screen.prompt();
    screen.line("echo out''side").wait_for("outside");
    screen.prompt();
    screen.line("fg").wait_for("read line");
    screen.line("abc").wait_for("got abc");
    screen.prompt();
    assert_eq!(screen.code(), 9);
}

#[test]
fn a_run_in_the_background_waits_for_the_terminal_before_it_reads() {
    let mut screen = Screen::open();
    screen
        .line("ringfence run -- sh -c 'read line; echo got $line' &")
        .prompt();
    // The shell reports a job at a prompt.
    let mut shown = String::new();
    for _ in 0..1000 {
        shown = screen.line("jobs").prompt();
        if shown.contains("Stopped") {
            break;
        }
    }
    assert!(shown.contains("Stopped"), "{shown}");
    screen.line("fg").wait_for("read line");
    screen.line("abc").wait_for("got abc");
    screen.prompt();
    assert_eq!(screen.code(), 0);
}
