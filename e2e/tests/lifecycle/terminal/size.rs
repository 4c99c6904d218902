//! The size of the window.

use super::screen::Screen;

/// Prints the size now and at every change.
const WATCH: &str = "
import os, signal
def show(*_):
    size = os.get_terminal_size()
    os.write(1, f'{size.lines} rows, {size.columns} columns\\n'.encode())
signal.signal(signal.SIGWINCH, show)
show()
while True:
    signal.pause()
";

#[test]
fn the_size_is_passed_on_and_so_is_its_change() {
    let mut screen = Screen::open();
    screen.host().file("watch.py", WATCH);
    screen.resize(33, 77);
    screen.line("ringfence run -- python3 watch.py");
    screen.wait_for("33 rows, 77 columns");
    screen.resize(40, 100);
    screen.wait_for("40 rows, 100 columns");
    screen.key("\x03").prompt();
    screen.line("stty size").wait_for("40 100");
}
