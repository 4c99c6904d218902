"""A WebSocket client that honours https_proxy, as the usual libraries do."""
import os
import socket
import ssl
import urllib.parse

proxy = os.environ.get("https_proxy")
if proxy:
    where = urllib.parse.urlparse(proxy)
    raw = socket.create_connection((where.hostname, where.port), 20)
    raw.sendall(b"CONNECT ws.test:443 HTTP/1.1\r\nHost: ws.test:443\r\n\r\n")
    answer = b""
    while not answer.endswith(b"\r\n\r\n"):
        answer += raw.recv(1)
    assert answer.startswith(b"HTTP/1.1 200"), answer
else:
    raw = socket.create_connection(("ws.test", 443), 20)
stream = ssl.create_default_context().wrap_socket(raw, server_hostname="ws.test")
stream.sendall(
    b"GET /chat HTTP/1.1\r\nHost: ws.test\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
)
octets = stream.makefile("rb")
print(octets.readline().split()[1].decode())
while octets.readline().strip():
    pass


def receive():
    start = octets.read(2)
    return octets.read(start[1])


first = receive().decode()
count = 0
for number in range(200):
    text = b"message %d" % number
    stream.sendall(bytes([0x81, 0x80 | len(text)]) + bytes(4) + text)
    count += receive() == text
print("echoed", count)
print(first)
