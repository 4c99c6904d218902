#!/usr/bin/env python3
"""Runs a command, or several at once, and says what it took: the time, and CPU time and memory of the proxy that it went through.

usage: measure.py [--pid PID] [--idle KB] [--octets N] [--at-once N] -- COMMAND...

{} in the command is the number of the copy. --idle is what the proxy's processes had when nothing had been asked of them yet;
--memory PID prints that and ends.
"""

import argparse
import json
import os
import subprocess
import sys
import time

TICKS = os.sysconf("SC_CLK_TCK")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--pid", type=int)
    parser.add_argument("--idle", type=int, default=0)
    parser.add_argument("--octets", type=int, default=0)
    parser.add_argument("--at-once", type=int, default=1)
    parser.add_argument("--memory", type=int)
    parser.add_argument("command", nargs="*")
    given = parser.parse_args()
    if given.memory:
        print(memory(given.memory, "VmRSS"))
        return
    print(json.dumps(measure(given)))


def measure(given):
    if given.pid:
        forget_peak(given.pid)
        cpu = cpu_seconds(given.pid)
    begun = time.monotonic()
    commands = [[word.replace("{}", str(number)) for word in given.command] for number in range(given.at_once)]
    running = [subprocess.Popen(command, stdout=subprocess.DEVNULL) for command in commands]
    failed = sum(process.wait() != 0 for process in running)
    seconds = time.monotonic() - begun
    result = {"n": given.at_once - failed, "errors": failed, "ms": seconds * 1000}
    if given.octets:
        result["mb_s"] = given.octets / seconds / 1e6
    if given.pid:
        result["cpu_ms"] = (cpu_seconds(given.pid) - cpu) * 1000
        result["peak_mb"] = (memory(given.pid, "VmHWM") - given.idle) / 1024
    return result


def tree(pid):
    """A process and all of its descendants."""
    found = [pid]
    for parent in found:
        for task in os.listdir(f"/proc/{parent}/task"):
            found += map(int, read(f"/proc/{parent}/task/{task}/children").split())
    return found


def cpu_seconds(pid):
    # The fields after the name, which may hold spaces, begin with the third.
    fields = [read(f"/proc/{one}/stat").rpartition(")")[2].split() for one in tree(pid)]
    return sum(int(ticks) for stat in fields for ticks in stat[11:15]) / TICKS


def memory(pid, what):
    """What the processes have in memory (VmRSS), or had at most (VmHWM), in KB."""
    lines = [line for one in tree(pid) for line in read(f"/proc/{one}/status").splitlines()]
    return sum(int(line.split()[1]) for line in lines if line.startswith(what + ":"))


def forget_peak(pid):
    for one in tree(pid):
        with open(f"/proc/{one}/clear_refs", "w", encoding="ascii") as file:
            file.write("5")


def read(path):
    with open(path, encoding="utf-8") as file:
        return file.read()


sys.exit(main())
