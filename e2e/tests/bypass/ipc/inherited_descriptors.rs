//! What the caller left open is handed down by every exec that does not take care (sandbox-runtime's README).

use std::fs::File;
use std::os::fd::AsFd;

use ringfence_e2e::Host;
use ringfence_testkit::tcp::TcpServer;
use rustix::io::{FdFlags, fcntl_setfd};

#[test]
fn descriptors_of_the_caller_stay_outside() {
    let host = Host::new();
    let secret = File::open(host.home_file("secret", "from-the-caller\n")).unwrap();
    let directory = File::open(host.home()).unwrap();
    let server = TcpServer::recorder().unwrap();
    let connection = ringfence_testkit::poll::connect(server.address()).unwrap();
    // Without close-on-exec, as a careless parent process would leave them.
    for fd in [secret.as_fd(), directory.as_fd(), connection.as_fd()] {
        fcntl_setfd(fd, FdFlags::empty()).unwrap();
    }
    let ended = host.run().sh(
        "for fd in /proc/self/fd/*; do echo \"${fd##*/} $(readlink $fd)\"; done
         for fd in {3..40}; do cat <&$fd; cat /proc/self/fd/$fd/secret; echo smuggled >&$fd; done 2>/dev/null
         cat /proc/1/fd/* 2>/dev/null; true",
    );
    assert_eq!(ended.code, 0, "{ended}");
    assert!(!ended.stdout.contains("from-the-caller"), "{ended}");
    assert!(!ended.stdout.contains("secret"), "{ended}");
    assert!(!ended.stdout.contains("socket:"), "{ended}");
    assert!(!server.has_received(b"smuggled"));
}
