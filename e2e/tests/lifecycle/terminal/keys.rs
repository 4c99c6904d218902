//! Keys and what a terminal makes of them.

use super::screen::Screen;

#[test]
fn a_shell_in_a_sandbox_has_a_terminal_of_its_own() {
    let mut screen = Screen::open();
    screen.sandbox();
    screen.line("test -t 0 && test -t 1 && test -t 2 && echo is''atty; tput colors; tty");
    screen.wait_for("isatty");
    screen.wait_for("256");
    screen.wait_for("/dev/pts/0");
    screen.line("exit 7").prompt();
    assert_eq!(screen.code(), 7);
}

#[test]
fn an_interrupt_ends_what_runs_and_not_the_shell_in_the_sandbox() {
    let mut screen = Screen::open();
    screen.sandbox();
    // What says that it runs is itself what the interrupt is for.
    screen.begin("", "exec sleep 600");
    screen.key("\x03").wait_for("$ ");
    screen.line("echo code $?").wait_for("code 130");
    screen.line("exit").prompt();
}

#[test]
fn an_interrupt_ends_a_command_that_runs_alone() {
    let mut screen = Screen::open();
    screen.begin("ringfence run --", "sleep 600");
    screen.key("\x03").prompt();
    assert_eq!(screen.code(), 130);
}

#[test]
fn the_end_of_input_is_passed_on_and_the_terminal_is_as_before() {
    let mut screen = Screen::open();
    screen.line("stty -g > /tmp/$$.before; ringfence run -- cat; stty -g | cmp - /tmp/$$.before && echo as be''fore; rm /tmp/$$.before");
    // Once typed and echoed, once printed by cat.
    screen.line("hel''lo").wait_for("hel''lo");
    screen.wait_for("hel''lo");
    screen.key("\x04").wait_for("as before");
}

#[test]
fn only_what_is_a_terminal_outside_is_one_inside() {
    let mut screen = Screen::open();
    screen.line("ringfence run -- sh -c 'test -t 0; echo in $?; test -t 1; echo out $?; test -t 2; echo err $? >&2' < /dev/null | cat");
    let shown = screen.prompt();
    for words in ["in 1", "out 1", "err 0"] {
        assert!(shown.contains(words), "{shown}");
    }
}
