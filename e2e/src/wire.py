"""Raw connections for attacks that no well-behaved client would make. Every wait is bounded."""
import socket
import ssl
import struct
import sys

PROXY = ("198.18.0.1", 3128)
PATIENCE = 15


def connect(host, port):
    """A TCP connection as any program would make it: resolved by the sandbox, captured on the way."""
    return socket.create_connection((host, port), PATIENCE)


def all_of(connection):
    """What arrives until the other side closes or resets."""
    octets = b""
    try:
        while part := connection.recv(65536):
            octets += part
    except (ConnectionError, socket.timeout, TimeoutError) as error:
        octets += b"<%s>" % type(error).__name__.encode()
    return octets


def say(address, octets, end=False):
    """Sends octets and returns the whole answer, also where the other side resets the connection."""
    with socket.create_connection(address, PATIENCE) as connection:
        try:
            connection.sendall(octets)
            if end:
                connection.shutdown(socket.SHUT_WR)
        except OSError:
            pass
        return all_of(connection)


def head(connection):
    """The head of an HTTP answer, octet by octet, so that nothing after it is taken."""
    octets = b""
    while not octets.endswith(b"\r\n\r\n"):
        part = connection.recv(1)
        if not part:
            break
        octets += part
    return octets


def tunnel(host, port):
    """A CONNECT tunnel through the explicit proxy, and the proxy's answer."""
    connection = socket.create_connection(PROXY, PATIENCE)
    connection.sendall(b"CONNECT %s:%d HTTP/1.1\r\nHost: %s:%d\r\n\r\n" % (host, port, host, port))
    return connection, head(connection)


def socks(name, port):
    """A SOCKS5 request for a name of any octets, and the reply code (0 is success)."""
    connection = socket.create_connection(PROXY, PATIENCE)
    connection.sendall(b"\x05\x01\x00")
    connection.recv(2)
    connection.sendall(b"\x05\x01\x00\x03" + bytes([len(name)]) + name + struct.pack("!H", port))
    reply = connection.recv(10)
    return connection, reply[1] if len(reply) > 1 else None


def hello(name, extensions=b""):
    """A TLS 1.3 ClientHello for a name, or none, with further extensions."""
    if name is not None:
        entry = b"\x00" + struct.pack("!H", len(name)) + name
        sni = struct.pack("!H", len(entry)) + entry
        extensions = struct.pack("!HH", 0, len(sni)) + sni + extensions
    versions = b"\x02\x03\x04"
    extensions += struct.pack("!HH", 43, len(versions)) + versions
    body = b"\x03\x03" + bytes(32) + b"\x00" + b"\x00\x02\x13\x01" + b"\x01\x00"
    body += struct.pack("!H", len(extensions)) + extensions
    message = b"\x01" + struct.pack("!I", len(body))[1:] + body
    return b"\x16\x03\x01" + struct.pack("!H", len(message)) + message


def show(*values):
    for value in values:
        if isinstance(value, bytes):
            value = value.decode("latin-1")
        sys.stdout.write(str(value) + "\n")
    sys.stdout.flush()
