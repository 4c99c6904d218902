#!/usr/bin/env python3
"""Tables from a file of results: the median and range of each contender, against a baseline and against the best peer.

usage: report.py FILE CASE:METRIC:BETTER[:difference]...

BETTER is high or low. The baseline is "direct", the same load without anything between; for decisions, it is the smallest policy.
With "difference", the difference to the baseline is shown in place of the ratio.
"""

import json
import statistics
import sys

OURS = "ringfence"
DIRECT = "direct"
# Bare namespaces confine nothing: they show what the technique itself costs, and are no peer.
NOT_PEERS = (OURS, DIRECT, "unshare")
SMALLEST_POLICY = "10-rules"


def main():
    with open(sys.argv[1], encoding="utf-8") as file:
        rows = [json.loads(line) for line in file]
    for specification in sys.argv[2:]:
        case, metric, better, *rest = specification.split(":")
        table([row for row in rows if row["case"] == case], metric, better, "difference" in rest)


def table(rows, metric, better, difference):
    """One table: a line for each contender, the best first."""
    values, errors = collect(rows, metric)
    if not errors:
        return
    medians = {name: statistics.median(numbers) for name, numbers in values.items()}
    baseline = next((name for name in (DIRECT, SMALLEST_POLICY) if name in errors), None)
    best = None if baseline == SMALLEST_POLICY else best_peer(medians, better)

    print(f"\n{rows[0]['case']}: {metric} ({better}er is better)")
    against = f"{'-' if difference else '/'} {baseline}" if baseline else ""
    print(f"  {'':<14}{'median':>11}{'min':>11}{'max':>11}{against:>12}{'/ best peer' if best else '':>13}")
    for name in sorted(medians, key=medians.get, reverse=better == "high"):
        median, numbers = medians[name], values[name]
        line = f"  {name:<14}{median:>11.2f}{min(numbers):>11.2f}{max(numbers):>11.2f}"
        line += f"{compared(median, medians.get(baseline), difference):>12}{compared(median, medians.get(best)):>13}"
        print(line + (f"  {errors[name]} errors" if errors[name] else ""))
    for name in errors:
        # Direct has no proxy whose CPU time or memory could be measured.
        if name not in medians and name != DIRECT:
            print(f"  {name:<14}{'failed':>11}")


def collect(rows, metric):
    """The values of the metric and the number of errors, by contender."""
    values, errors = {}, {}
    for row in rows:
        name, result = row["peer"], row["result"]
        errors[name] = errors.get(name, 0) + result.get("errors", 0) + result.get("failed", 0)
        if result.get("n", 0) > 0 and metric in result:
            values.setdefault(name, []).append(result[metric])
    return values, errors


def best_peer(medians, better):
    """The best of the other programs, none if there is no other."""
    peers = [name for name in medians if name not in NOT_PEERS]
    pick = max if better == "high" else min
    return pick(peers, key=medians.get, default=None)


def compared(median, other, difference=False):
    """The ratio or difference to another median, empty where there is none."""
    if not other:
        return ""
    return f"{median - other:+.2f}" if difference else f"{median / other:.3f}"


main()
