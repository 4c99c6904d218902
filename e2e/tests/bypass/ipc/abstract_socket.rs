//! Abstract unix sockets have no path that a mount could hide (Certora/AutoProver #73).

use std::os::linux::net::SocketAddrExt;
use std::os::unix::net::{SocketAddr, UnixListener};

use ringfence_e2e::Host;

#[test]
fn an_abstract_socket_of_the_hosts_is_not_reached() {
    let name = format!("ringfence-e2e-{}", std::process::id());
    let address = SocketAddr::from_abstract_name(&name).unwrap();
    let listener = UnixListener::bind_addr(&address).unwrap();
    listener.set_nonblocking(true).unwrap();
    let host = Host::new();
    let script = format!(
        "from wire import *\n\
         try:\n    socket.socket(socket.AF_UNIX).connect('\\0{name}'); show('connected')\n\
         except OSError as error: show(type(error).__name__)\n\
         own = socket.socket(socket.AF_UNIX); own.bind('\\0own'); own.listen()\n\
         socket.socket(socket.AF_UNIX).connect('\\0own'); show('own works')\n\
         show(open('/proc/net/unix').read().count('ringfence-e2e'))\n"
    );
    let ended = host.run().python(&script);
    assert_eq!(
        ended.stdout, "ConnectionRefusedError\nown works\n0\n",
        "{ended}"
    );
    assert!(listener.accept().is_err());
}
