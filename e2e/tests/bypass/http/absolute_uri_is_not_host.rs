//! A request line that names one host and a Host field that names another (httpjail #57).

use super::Site;

#[test]
fn the_request_line_and_the_host_field_must_agree() {
    let site = Site::new();
    for (target, field) in [("api.test", "evil.test"), ("evil.test", "api.test")] {
        let request = format!(
            "GET http://{target}/open/a HTTP/1.1\r\nHost: {field}\r\nConnection: close\r\n\r\n"
        );
        site.send(request.as_bytes())
            .assert_refused(400, "host-mismatch");
    }
    assert_eq!(site.upstream.connections().connections().len(), 0);
}

#[test]
fn a_tunnel_to_one_host_takes_no_request_for_another() {
    let site = Site::new();
    let ended = site.host.run().profile("open").python(
        "from wire import *\n\
         for host in (b'evil.test', b'api.test:81', b'api.test.evil.test'):\n\
         \x20   connection = connect('api.test', 80)\n\
         \x20   connection.sendall(b'GET http://%s/open/a HTTP/1.1\\r\\nHost: %s\\r\\n\\r\\n' % (host, host))\n\
         \x20   show(all_of(connection))\n",
    );
    assert_eq!(
        ended
            .stdout
            .matches("X-Ringfence-Reason: host-mismatch")
            .count(),
        3,
        "{ended}"
    );
    assert_eq!(ended.codes(), ["host-mismatch"; 3], "{ended}");
    assert_eq!(site.upstream.connections().connections().len(), 0);
}
