//! A connection that was authorised once is not authorised for whatever comes next on it (OpenShell #819).

use super::Site;

#[test]
fn each_request_of_a_proxy_connection_is_decided_on() {
    let site = Site::new();
    let ended = site.host.run().profile("open").sh(
        "curl -sS -w '%{http_code} %{num_connects}\n' -o /dev/null http://api.test/open/1 --next \
              -sS -w '%{http_code} %{num_connects}\n' -o /dev/null http://evil.test/open/2 --next \
              -sS -w '%{http_code} %{num_connects}\n' -o /dev/null http://api.test/closed --next \
              -sS -w '%{http_code} %{num_connects}\n' -o /dev/null http://api.test/open/4",
    );
    // One connection to the proxy carried all four.
    assert_eq!(ended.stdout, "200 1\n403 0\n403 0\n200 0\n", "{ended}");
    assert!(ended.was_refused("evil.test:80", "no-rule"), "{ended}");
    assert!(
        ended.was_refused("api.test:80", "path-not-allowed"),
        "{ended}"
    );
    assert_eq!(site.upstream.requests().len(), 2);
    assert!(!site.received("evil.test"));
}

#[test]
fn a_kept_connection_cannot_change_its_host() {
    let site = Site::new();
    let ended = site.host.run().profile("open").python(
        "from wire import *\n\
         connection = connect('api.test', 80)\n\
         connection.sendall(b'GET /open/a HTTP/1.1\\r\\nHost: api.test\\r\\n\\r\\n')\n\
         head(connection); connection.recv(3)\n\
         connection.sendall(b'GET /open/b HTTP/1.1\\r\\nHost: evil.test\\r\\n\\r\\n')\n\
         show(all_of(connection))\n",
    );
    assert!(ended.stdout.starts_with("HTTP/1.1 403 "), "{ended}");
    assert_eq!(ended.codes(), ["host-mismatch"], "{ended}");
    assert_eq!(site.upstream.requests().len(), 1);
    assert!(!site.received("/open/b"));
}
