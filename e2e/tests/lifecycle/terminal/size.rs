//! The size of the window.

use ringfence_e2e::Host;

use super::screen::Screen;

#[test]
fn the_size_is_passed_on_and_so_is_its_change() {
    let host = Host::new();
    let mut screen = Screen::open(&host);
    screen.resize(33, 77);
    screen
        .line("ringfence run -- bash --norc --noediting")
        .wait_for("$ ");
    screen.line("stty size").wait_for("33 77");
    screen
        .line("trap 'echo now $(stty size)' WINCH; echo s''et")
        .wait_for("set");
    screen.resize(40, 100);
    screen.line("").wait_for("now 40 100");
    screen.line("exit").prompt();
}
