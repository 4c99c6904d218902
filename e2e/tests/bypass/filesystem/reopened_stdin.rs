//! A redirected file can be opened anew through `/proc/self/fd`, with more rights than it was handed in with.

use std::fs::{self, File};

use ringfence_e2e::Host;

#[test]
fn a_file_that_was_opened_for_reading_stays_so() {
    let host = Host::new();
    let file = host.home_file("outside/input", "original\n");
    let ended = host.run().stdin(File::open(&file).unwrap()).sh(
        "cat; for how in '>' '>>' '<>' '>|'; do eval \"echo smuggled $how /proc/self/fd/0\"; eval \"echo smuggled $how /dev/stdin\"; done
         echo smuggled >&0; truncate -s 0 /proc/self/fd/0; chmod 777 /dev/stdin; rm -f /proc/self/fd/0; ls /proc/self/fd/0/..; true",
    );
    assert_eq!(ended.stdout, "original\n", "{ended}");
    assert_eq!(fs::read_to_string(&file).unwrap(), "original\n");
}

#[test]
fn a_log_that_was_opened_for_appending_is_not_read() {
    let host = Host::new();
    let file = host.home_file("outside/log", "from-the-caller\n");
    let log = File::options().append(true).open(&file).unwrap();
    let ended = host.run().stdin(log).sh(
        "cat /proc/self/fd/0; cat <&0; cat /dev/stdin; python3 -c 'print(open(0).read())'; true",
    );
    assert!(!ended.stdout.contains("from-the-caller"), "{ended}");
    let log = fs::read_to_string(&file).unwrap();
    assert_eq!(log, "from-the-caller\n", "{ended}");
}
