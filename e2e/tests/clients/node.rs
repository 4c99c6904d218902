//! Node: `fetch`, which honours no proxy variable, and the `https` module.

use ringfence_testkit::nginx::HELLO;

use super::site::{Site, Way, assert_prints};

#[test]
fn fetch_reads_the_site() {
    let site = Site::start();
    for way in [Way::Transparent, Way::Proxy] {
        let script = way.script(
            "node -e '
(async () => {
  for (const url of [\"https://web.test/hello.txt\", \"http://plain.test/hello.txt\"]) {
    process.stdout.write(await (await fetch(url)).text());
  }
})()'",
        );
        assert_prints(&site.run().sh(&script), &HELLO.repeat(2));
    }
}

#[test]
fn http2_sessions_carry_parallel_streams() {
    let site = Site::start();
    let ended = site.run().sh("node -e '
const session = require(\"http2\").connect(\"https://web.test\");
let left = 50;
for (let i = 0; i < 50; i++) {
  const stream = session.request({ \":path\": \"/hello.txt\" });
  let text = \"\";
  stream.on(\"data\", (part) => (text += part));
  stream.on(\"end\", () => {
    process.stdout.write(text);
    if (--left === 0) session.close();
  });
}'");
    assert_prints(&ended, &HELLO.repeat(50));
}
