"""Git's own packets and requests, written by hand. Beside `wire`, which does the sockets."""
import hashlib
import http.client
import ssl
import struct
import subprocess
import sys
import zlib

PUSH = "application/x-git-receive-pack-request"
FETCH = "application/x-git-upload-pack-request"
CAPABILITIES = b"report-status side-band-64k object-format=sha1 agent=git/2.47.3"
ZERO = b"0" * 40


def git(*arguments, **options):
    return subprocess.run(("git",) + arguments, check=True, capture_output=True, **options).stdout.strip()


def pkt(data):
    return b"%04x" % (len(data) + 4) + data


def pack(entries, version=2):
    """A pack of whole objects: (type number, octets)."""
    out = b"PACK" + struct.pack("!II", version, len(entries))
    for kind, octets in entries:
        size = len(octets)
        first = kind << 4 | size & 15
        size >>= 4
        while size:
            out += bytes([first | 128])
            first = size & 127
            size >>= 7
        out += bytes([first]) + zlib.compress(octets)
    return out + hashlib.sha1(out).digest()


def oid(kind, octets):
    return hashlib.sha1(b"%s %d\0" % (kind, len(octets)) + octets).hexdigest().encode()


def commit(tree, parents, message=b"made by hand\n"):
    who = b"Agent <agent@acme.test> 1700000000 +0000"
    lines = [b"tree " + tree] + [b"parent " + parent for parent in parents]
    return b"\n".join(lines + [b"author " + who, b"committer " + who, b"", message])


def request(method, path, body=None, headers=None, host="github.com", encode=False):
    """One request by HTTP/1.1: the status, and what was said, side bands and all."""
    connection = http.client.HTTPSConnection(host, timeout=30, context=ssl.create_default_context())
    try:
        connection.putrequest(method, path, skip_accept_encoding=True)
        sent = dict(headers or {})
        if body is not None and not encode:
            sent.setdefault("Content-Length", str(len(body)))
        for name, value in sent.items():
            connection.putheader(name, value)
        connection.endheaders()
        if body is not None:
            try:
                connection.send(body)
            except OSError:
                pass
        answer = connection.getresponse()
        return answer.status, answer.read()
    except (OSError, http.client.HTTPException) as error:
        return 0, type(error).__name__.encode()
    finally:
        connection.close()


def push(body, path="/acme/web.git/git-receive-pack", **options):
    headers = {"Content-Type": PUSH}
    headers.update(options.pop("headers", {}))
    return request("POST", path, body, headers, **options)


def outcome(name, answer):
    """One line for the test: what it was, and whether the push was accepted."""
    status, said = answer
    accepted = status == 200 and b"unpack ok" in said and b"ng " not in said
    text = said.decode("latin-1")
    text = "".join(c if c.isprintable() else " " for c in text)
    print(name, "accepted" if accepted else "refused", status, text[:400])
    sys.stdout.flush()
