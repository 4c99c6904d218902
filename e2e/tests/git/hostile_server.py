"""A git server that means harm: what it does is in the name of the repository. It notes each request that it gets.

hostile_server.py PORT CERTIFICATE KEY REPOSITORY NOTES
"""
import http.server
import json
import os
import ssl
import subprocess
import sys
import threading

port, certificate, key, repository, notes = sys.argv[1:]
lock = threading.Lock()
ESCAPES = b"\x1b]0;owned\x07\x1b[31mred\x1b[0m\x9b31m\x08\x00 plain"
OFFERS = [b"bundle-uri\n", b"object-info=size\n", b"promisor-remote=name=evil,url=https://sink.test/promised,token=t0k3n\n",
          b"session-id=evil\n", b"server-option\n", b"fetch=shallow filter packfile-uris=https wait-for-done\n"]


def pkt(data):
    return b"%04x" % (len(data) + 4) + data


def git(*arguments, given=b"", version=""):
    environment = dict(os.environ, GIT_PROTOCOL=version)
    command = ["git", "-c", "safe.directory=*", *arguments, repository]
    return subprocess.run(command, input=given, stdout=subprocess.PIPE, env=environment).stdout


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def note(self, **more):
        with lock, open(notes, "a") as file:
            headers = {name.lower(): value for name, value in self.headers.items()}
            print(json.dumps({"method": self.command, "path": self.path, "headers": headers, **more}), file=file)

    def body(self):
        if self.headers.get("Transfer-Encoding") == "chunked":
            octets = b""
            while size := int(self.rfile.readline(), 16):
                octets += self.rfile.read(size)
                self.rfile.readline()
            self.rfile.readline()
            return octets
        return self.rfile.read(int(self.headers.get("Content-Length") or 0))

    def answer(self, status, kind, octets, **headers):
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(octets)))
        self.end_headers()
        self.wfile.write(octets)

    def endless(self, kind, begin, piece):
        self.send_response(200)
        self.send_header("Content-Type", kind)
        self.send_header("Connection", "close")
        self.end_headers()
        sent = 0
        try:
            self.wfile.write(begin)
            number = 0
            while sent < 3 << 30:
                octets = b"".join(piece(number + n) for n in range(20))
                number += 20
                self.wfile.write(octets)
                sent += len(octets)
        except OSError:
            pass
        self.note(sent=sent)
        self.close_connection = True

    def serve(self):
        body = self.body()
        self.note(octets=len(body))
        if self.path.startswith("/notes"):
            return self.answer(200, "text/plain", b"here\n")
        parts = self.path.split("?")[0].split("/")
        name = parts[2].removesuffix(".git")
        service = "receive-pack" if "receive-pack" in self.path else "upload-pack"
        version = self.headers.get("Git-Protocol", "")
        is_refs = parts[-1] == "refs"
        advertisement, result = (f"application/x-git-{service}-{kind}" for kind in ("advertisement", "result"))
        page = b"<form>LOGIN-PAGE " + self.headers.get("Authorization", "").encode() + b"</form>\x1b[31m"
        place = self.path[len("/acme/" + parts[2]):]
        turn = {"post": not is_refs, "push": not is_refs and service == "receive-pack"}.get(name.split("-")[0], is_refs)
        act = name.removeprefix("post-").removeprefix("push-") if turn else "honest"
        elsewhere = {"to-sink": "https://sink.test/acme/sink.git", "to-plain": "http://github.com/acme/plain.git",
                     "to-moved": "https://github.com/acme/moved.git", "to-port": "https://github.com:8443/acme/x.git",
                     "to-protocol": "//sink.test/acme/sink.git", "to-user": "https://github.com@sink.test/acme/sink.git"}
        if act in elsewhere:
            status = 301 if is_refs else 307
            return self.answer(status, "text/html", page, Location=elsewhere[act] + place, Set_Cookie="a=b")
        if act.startswith("status-"):
            more = {"Retry_After": "7"} if act == "status-429" else {}
            if act == "status-401":
                more = {"WWW_Authenticate": 'Basic realm="give me your password"'}
            return self.answer(int(act.removeprefix("status-")), "text/html", page, **more)
        if act == "html":
            return self.answer(200, "text/html", page)
        if act == "dumb":
            return self.answer(200, "text/plain", b"0" * 40 + b"\trefs/heads/main\n")
        if act == "hang-up":
            self.close_connection = True
            return None
        if act == "endless-refs":
            begin = pkt(f"# service=git-{service}\n".encode()) + b"0000"
            long = b"x" * 60000
            line = lambda n: pkt(b"%040x refs/heads/%s%d%s\n" % (n + 1, long, n, b"\0agent=x" if n == 0 else b""))
            return self.endless(advertisement, begin, line)
        if act == "endless-capabilities":
            begin = pkt(f"# service=git-{service}\n".encode()) + b"0000" + pkt(b"version 2\n")
            return self.endless(advertisement, begin, lambda n: pkt(b"capability-%d\n" % n))
        if act == "huge-packet":
            return self.answer(200, advertisement, pkt(f"# service=git-{service}\n".encode()) + b"0000ffff" + b"a" * 70000)
        if act == "error":
            octets = pkt(f"# service=git-{service}\n".encode()) + b"0000" + pkt(b"ERR " + ESCAPES)
            return self.answer(200, advertisement, octets)
        return self.honest(act, name, service, version, is_refs, body, advertisement, result)

    def honest(self, act, name, service, version, is_refs, body, advertisement, result):
        if is_refs:
            octets = git(service, "--stateless-rpc", "--http-backend-info-refs", version=version)
            if name == "offers":
                octets = octets.replace(pkt(b"version 2\n"), pkt(b"version 2\n") + b"".join(map(pkt, OFFERS)))
            return self.answer(200, advertisement, pkt(f"# service=git-{service}\n".encode()) + b"0000" + octets)
        if service == "receive-pack":
            return self.report(act, body, result)
        octets = git(service, "--stateless-rpc", given=body, version=version)
        mark = pkt(b"packfile\n")
        before, found, after = octets.partition(mark)
        if found and act == "endless-progress":
            return self.endless(result, before + mark, lambda n: pkt(b"\x02%0500d\r" % n))
        if found and act == "escapes":
            octets = before + mark + pkt(b"\x02" + ESCAPES + b"\n") + after
        if found and act == "fatal":
            octets = before + mark + pkt(b"\x03" + ESCAPES + b"\n")
        if found and act == "band-4":
            octets = before + mark + pkt(b"\x04x") + after
        if found and act == "uris":
            octets = before + pkt(b"packfile-uris\n") + pkt(b"a" * 40 + b" https://sink.test/pack\n") + b"0001" + mark + after
        if found and act == "cut":
            octets = octets[:-60]
        if found and act == "damaged":
            octets = octets[:-40] + bytes([octets[-40] ^ 255]) + octets[-39:]
        return self.answer(200, result, octets)

    def report(self, act, body, result):
        name = body.split(b"\0")[0].split(b" ")[2]
        inner = b"unpack ok\n"
        if act == "lies":
            report = pkt(inner) + pkt(b"ok refs/heads/other\n") + pkt(b"ng refs/heads/main denied\n") + b"0000"
        elif act == "escapes":
            report = pkt(inner) + pkt(b"ng " + name + b" " + ESCAPES + b"\n") + b"0000"
        else:
            report = pkt(inner) + pkt(b"ok " + name + b"\n") + b"0000"
        octets = pkt(b"\x02" + ESCAPES + b"\n") + pkt(b"\x01" + report) + b"0000"
        return self.answer(200, result, octets)

    do_GET = do_POST = serve

    def log_message(self, *_):
        pass


server = http.server.ThreadingHTTPServer(("127.0.0.1", int(port)), Handler)
context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
context.load_cert_chain(certificate, key)
server.socket = context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
server.serve_forever()
