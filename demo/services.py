#!/usr/bin/env python3
"""The plain servers of the demo: a TCP service, a collector of stolen data, and a DNS server that records questions.

usage: services.py DIRECTORY

Writes the three ports to DIRECTORY/ports, what arrives at the collector by TCP or UDP to DIRECTORY/collected, and each
question to DIRECTORY/lookups. Listens on 127.0.0.1 only.
"""

import os
import pathlib
import socket
import sys
import threading

LOCALHOST = "127.0.0.1"


def main():
    directory = pathlib.Path(sys.argv[1])
    queue = socket.create_server((LOCALHOST, 0))
    collector = socket.create_server((LOCALHOST, 0))
    datagrams = udp(collector.getsockname()[1])
    dns = udp(0)
    ports = [listener.getsockname()[1] for listener in (queue, collector, dns)]
    unfinished = directory / "ports.new"
    unfinished.write_text(" ".join(map(str, ports)) + "\n", encoding="utf-8")
    os.rename(unfinished, directory / "ports")
    serve = [
        (answer, queue, b"one job is waiting\n", None),
        (answer, collector, b"thank you\n", directory / "collected"),
        (record, datagrams, directory / "collected"),
        (record, dns, directory / "lookups"),
    ]
    threads = [threading.Thread(target=function, args=rest) for function, *rest in serve]
    for thread in threads:
        thread.start()


def udp(port):
    listener = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    listener.bind((LOCALHOST, port))
    return listener


def answer(listener, line, log):
    """Says the line to whoever connects. A connection alone is recorded."""
    while True:
        client, address = listener.accept()
        with client:
            if log:
                append(log, f"a connection from {address}")
            client.sendall(line)


def record(listener, log):
    while True:
        datagram, address = listener.recvfrom(4096)
        append(log, f"{len(datagram)} octets from {address}: {datagram!r}")


def append(log, line):
    with log.open("a", encoding="utf-8") as file:
        file.write(line + "\n")


main()
