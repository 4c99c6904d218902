//! A socket as standard input, as from inetd or an editor: descriptors can be passed through a unix socket, and a TCP socket is a route.

use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener};
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;

use ringfence_e2e::Host;

#[test]
fn a_unix_socket_is_replaced_by_a_pipe_that_carries_what_it_says() {
    let host = Host::new();
    let (mut ours, theirs) = UnixStream::pair().unwrap();
    ours.write_all(b"hello\n").unwrap();
    ours.shutdown(Shutdown::Write).unwrap();
    let ended = host
        .run()
        .stdin(OwnedFd::from(theirs))
        .sh("readlink /proc/self/fd/0; cat; echo smuggled >&0");
    assert!(ended.stdout.starts_with("pipe:"), "{ended}");
    assert!(ended.stdout.ends_with("\nhello\n"), "{ended}");
    let mut back = Vec::new();
    ours.read_to_end(&mut back).unwrap();
    assert_eq!(back, b"");
}

#[test]
fn a_tcp_connection_is_no_route() {
    let host = Host::new();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let theirs = ringfence_testkit::poll::connect(listener.local_addr().unwrap()).unwrap();
    let (mut ours, _) = listener.accept().unwrap();
    ours.shutdown(Shutdown::Write).unwrap();
    let ended = host.run().stdin(OwnedFd::from(theirs)).python(
        "from wire import *\n\
         try: socket.socket(fileno=0).sendall(b'smuggled'); show('sent')\n\
         except OSError as error: show(type(error).__name__)\n",
    );
    assert_eq!(ended.stdout, "OSError\n", "{ended}");
    let mut back = Vec::new();
    ours.read_to_end(&mut back).unwrap();
    assert_eq!(back, b"");
}
