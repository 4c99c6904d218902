//! What is read of a request before it is decided on takes room, of which each sandbox has a bounded part.

use super::forge::Forge;

#[test]
fn requests_of_lfs_that_are_not_finished_take_the_room_that_they_announce() {
    let forge = Forge::start();
    let ended = forge.run().python(
        r#"
import socket, ssl
context = ssl.create_default_context()
def begin(repository, octets):
    made = context.wrap_socket(socket.create_connection(("github.com", 443)), server_hostname="github.com")
    made.sendall((f"POST /{repository}.git/info/lfs/objects/batch HTTP/1.1\r\nHost: github.com\r\n"
        f"Content-Type: application/vnd.git-lfs+json\r\nContent-Length: {octets}\r\n\r\n").encode())
    return made
def answered():
    last = begin("acme/docs", 2)
    last.sendall(b"{}")
    last.settimeout(20)
    return last.recv(65536).decode().replace("\r\n", " ")
print("before", answered())
held = [begin("no/such", 1 << 20) for _ in range(64)]
for one in held:
    one.sendall(b"{")
print("full", answered())
for one in held:
    one.close()
print("after", answered())
"#,
    );
    let said = |name: &str| {
        let mut lines = ended.stdout.lines();
        lines
            .find(|line| line.starts_with(name))
            .unwrap()
            .to_owned()
    };
    let full = "there is no room left to read it in";
    assert!(said("full").contains(full), "{ended}");
    for name in ["before", "after"] {
        let said = said(name);
        assert!(!said.contains(full) && said.contains("operation"), "{said}");
    }
}
