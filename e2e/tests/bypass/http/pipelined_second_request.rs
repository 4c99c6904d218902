//! A second request in the same packet, which must not travel as the body of the first (OpenShell #352).

use super::Site;

#[test]
fn a_pipelined_request_is_decided_on_by_itself() {
    let site = Site::new();
    let ended = site.host.run().profile("open").python(
        "from wire import *\n\
         first = b'GET /open/a HTTP/1.1\\r\\nHost: api.test\\r\\n\\r\\n'\n\
         hidden = b'GET /closed HTTP/1.1\\r\\nHost: api.test\\r\\nConnection: close\\r\\n\\r\\n'\n\
         posted = b'POST /open/b HTTP/1.1\\r\\nHost: api.test\\r\\nContent-Length: 4\\r\\n\\r\\nbody'\n\
         for octets in (first + hidden, posted + hidden):\n\
         \x20   for connection in (connect('api.test', 80), tunnel(b'api.test', 80)[0]):\n\
         \x20       connection.sendall(octets)\n\
         \x20       show(all_of(connection))\n\
         absolute = (posted + hidden).replace(b' /', b' http://api.test/')\n\
         show(say(PROXY, absolute))\n",
    );
    assert_eq!(ended.stdout.matches("HTTP/1.1 200 ").count(), 5, "{ended}");
    assert_eq!(ended.stdout.matches("HTTP/1.1 403 ").count(), 5, "{ended}");
    assert_eq!(ended.codes(), ["path-not-allowed"; 5], "{ended}");
    assert_eq!(site.upstream.requests().len(), 5);
    assert!(!site.received("closed"));
}
