//! Names inside a sandbox: every name has an address of the sandbox's own, and what it means is decided at the connection.

use ringfence_e2e::Host;

use super::site::assert_prints;

#[test]
fn every_resolver_gets_synthetic_addresses() {
    let ended = Host::new().run().sh(
        "getent ahostsv4 some.test | awk '{print $1}' | grep -c '^198\\.1[89]\\.'
         getent ahostsv6 some.test | awk '{print $1}' | grep -c '^fd'
         python3 -c '
import ipaddress, socket
for family, net in ((socket.AF_INET, \"198.18.0.0/15\"), (socket.AF_INET6, \"fd00::/8\")):
    address = socket.getaddrinfo(\"some.test\", 443, family)[0][4][0]
    print(ipaddress.ip_address(address) in ipaddress.ip_network(net))'
         node -e 'require(\"dns\").resolve4(\"some.test\", (error, found) => console.log(error ?? found.length))'",
    );
    assert_prints(&ended, "3\n3\nTrue\nTrue\n1\n");
}

#[test]
fn a_name_keeps_its_address_and_differs_from_others() {
    let ended = Host::new().run().sh(
        "one=$(getent ahostsv4 one.test); again=$(getent ahostsv4 one.test); two=$(getent ahostsv4 two.test)
         [ \"$one\" = \"$again\" ] && [ \"${one%% *}\" != \"${two%% *}\" ] && echo right",
    );
    assert_prints(&ended, "right\n");
}

#[test]
fn localhost_and_the_own_host_name_are_the_sandbox_itself() {
    let ended = Host::new().run().sh(
        "getent hosts localhost | awk '{print $1}'
         python3 -c 'import socket; print(socket.gethostbyname(socket.gethostname()).startswith(\"127.\"))'",
    );
    assert_prints(&ended, "::1\nTrue\n");
}
