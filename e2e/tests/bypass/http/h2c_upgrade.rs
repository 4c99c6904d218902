//! `Upgrade: h2c` and `Upgrade: websocket` turn an inspected connection into one that is not (OpenShell #1967).

use super::Site;

#[test]
fn an_upgrade_is_refused() {
    let site = Site::new();
    for upgrade in [
        "Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAARAAAAAAAIAAAAA",
        "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
    ] {
        let request = format!("GET /open/a HTTP/1.1\r\nHost: api.test\r\n{upgrade}\r\n\r\n");
        site.send(request.as_bytes())
            .assert_refused(403, "upgrade-refused");
    }
    assert_eq!(site.upstream.connections().connections().len(), 0);
}
