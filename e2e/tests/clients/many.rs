//! Many connections at once.

use super::site::{Site, assert_prints};

#[test]
fn five_hundred_connections_are_open_at_once() {
    let site = Site::start();
    let ended = site.run().sh(
        "python3 -c '
import asyncio
COUNT = 500
REQUEST = b\"GET /hello.txt HTTP/1.1\\r\\nHost: plain.test\\r\\nConnection: close\\r\\n\\r\\n\"
async def main():
    opened = await asyncio.gather(*(asyncio.open_connection(\"plain.test\", 80) for _ in range(COUNT)))
    for _, writer in opened:
        writer.write(REQUEST)
    answers = await asyncio.gather(*(reader.read() for reader, _ in opened))
    print(sum(answer.endswith(b\"hello from the upstream\\n\") for answer in answers))
asyncio.run(main())'",
    );
    assert_prints(&ended, "500\n");
    assert_eq!(site.nginx.wait_for_requests(500).unwrap().len(), 500);
    // Each connection is one decision, and so is the request on it.
    assert_eq!(ended.allowed().len(), 1000, "{}", ended.stderr);
}

#[test]
fn curl_downloads_in_parallel_over_tls() {
    let site = Site::start();
    let ended = site.run().sh(
        "curl -sS --fail --http1.1 --parallel --parallel-max 100 --remote-name-all --output-dir /tmp \
            'https://web.test/hello.txt?[1-200]' > /dev/null && echo done",
    );
    assert_prints(&ended, "done\n");
    assert_eq!(site.nginx.wait_for_requests(200).unwrap().len(), 200);
}
