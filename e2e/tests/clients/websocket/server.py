"""A WebSocket server (RFC 6455) over TLS: speaks first, then echoes. Small frames only."""
import base64
import hashlib
import socketserver
import ssl
import sys

port, certificate, key = sys.argv[1:]
context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
context.load_cert_chain(certificate, key)


def frame(text):
    return bytes([0x81, len(text)]) + text


class Handler(socketserver.StreamRequestHandler):
    def setup(self):
        self.request = context.wrap_socket(self.request, server_side=True)
        super().setup()

    def handle(self):
        head = {}
        while (line := self.rfile.readline().strip()):
            name, _, value = line.partition(b": ")
            head[name.lower()] = value
        nonce = head[b"sec-websocket-key"] + b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
        accept = base64.b64encode(hashlib.sha1(nonce).digest())
        self.wfile.write(
            b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            b"Sec-WebSocket-Accept: " + accept + b"\r\n\r\n" + frame(b"server speaks first")
        )
        while len(start := self.rfile.read(2)) == 2:
            length = start[1] & 0x7F
            mask, masked = self.rfile.read(4), self.rfile.read(length)
            self.wfile.write(frame(bytes(a ^ mask[i % 4] for i, a in enumerate(masked))))


class Server(socketserver.ThreadingTCPServer):
    allow_reuse_address = True
    daemon_threads = True


Server(("127.0.0.1", int(port)), Handler).serve_forever()
