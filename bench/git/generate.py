#!/usr/bin/env python3
"""A repository as a stream for git fast-import, the same one for the same numbers.

usage: generate.py COMMITS MEGABYTES | git fast-import

Each commit replaces one of some files of random octets, which no compression makes smaller, and changes some small text files. What the
last commit holds is small, so that a shallow clone is.
"""

import random
import sys

RANDOM_FILES = 20
TEXT_FILES = 200
TEXTS_PER_COMMIT = 5
LINES = 40


def main():
    commits, megabytes = (int(argument) for argument in sys.argv[1:3])
    octets = megabytes * 1_000_000 // commits
    source = random.Random(1)
    out = sys.stdout.buffer
    texts = [[line(source) for _ in range(LINES)] for _ in range(TEXT_FILES)]
    for number in range(commits):
        when = 1_600_000_000 + number * 600
        out.write(b"commit refs/heads/main\ncommitter Bench <bench@bench.test> %d +0000\n" % when)
        data(out, b"Change %d\n\nWhat it changes and why, in some words.\n" % number)
        file(out, f"assets/{number % RANDOM_FILES:02}.bin", source.randbytes(octets))
        for _ in range(TEXTS_PER_COMMIT):
            place = source.randrange(TEXT_FILES)
            texts[place][source.randrange(LINES)] = line(source)
            file(out, f"src/part{place % 10}/file{place:03}.txt", b"".join(texts[place]))
    out.write(b"done\n")


def line(source):
    return b"    let value_%d = compute(%d);\n" % (source.randrange(1000), source.getrandbits(32))


def file(out, path, octets):
    out.write(b"M 100644 inline %s\n" % path.encode())
    data(out, octets)


def data(out, octets):
    out.write(b"data %d\n" % len(octets))
    out.write(octets)
    out.write(b"\n")


main()
