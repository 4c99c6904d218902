//! Pid 1 works for the agent in two places. What the agent does there must not keep it from its
//! other work, which is to end the sandbox.

use std::io::Read;
use std::time::Duration;

use ringfence_e2e::Host;
use ringfence_testkit::poll;
use ringfence_testkit::port::ReservedPort;
use rustix::process::Signal;

/// Listens with the shortest queue, fills it, and takes nothing from it.
const FULL: &str = "
import socket
server = socket.socket()
server.bind(('127.0.0.1', 3000))
server.listen(0)
clients = [socket.socket() for _ in range(4)]
for client in clients:
    client.setblocking(False)
    client.connect_ex(('127.0.0.1', 3000))
open('ready', 'w').close()
import signal
signal.pause()
";

#[test]
fn a_listener_that_takes_no_connection_blocks_nothing() {
    let host = Host::new();
    let port = ReservedPort::new().unwrap();
    let pair = format!("{}:3000", port.number());
    let running = host
        .run()
        .option("--publish", &pair)
        .spawn(&["python3", "-c", FULL]);
    let ready = host.project().join("ready");
    poll::until_true("the full queue", || ready.exists()).unwrap();
    // It is closed once pid 1 has given up.
    let mut connection = poll::connect(port.address()).unwrap();
    connection.set_read_timeout(Some(poll::PATIENCE)).unwrap();
    assert_eq!(connection.read(&mut [0]).unwrap(), 0);
    running.signal(Signal::TERM);
    assert_eq!(running.wait().code, 143);
}

#[test]
fn a_lease_on_a_protected_file_blocks_nothing() {
    let host = Host::new();
    host.file(".git/config", "[core]\n");
    let started = std::time::Instant::now();
    let ended = host.run().python(
        "import fcntl, os, signal\n\
         signal.signal(signal.SIGIO, signal.SIG_IGN)\n\
         lease = os.open('.git/config', os.O_RDONLY)\n\
         fcntl.fcntl(lease, fcntl.F_SETLEASE, fcntl.F_RDLCK)\n\
         open('new', 'w').close()\n\
         try: os.rename('new', '.git/config')\n\
         except BlockingIOError: print('busy')\n",
    );
    assert_eq!(ended.stdout, "busy\n", "{ended}");
    // The kernel breaks a lease after 45 seconds (/proc/sys/fs/lease-break-time).
    assert!(started.elapsed() < Duration::from_secs(40));
}
