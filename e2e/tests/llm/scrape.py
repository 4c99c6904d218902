"""Scrapes metrics as Prometheus does, reads them with Prometheus' own parser, and prints each sample as a line of JSON.

Usage: scrape.py URL openmetrics|text
"""

import json
import sys
import urllib.request

from prometheus_client.openmetrics.parser import text_string_to_metric_families as read_openmetrics
from prometheus_client.parser import text_string_to_metric_families as read_text

URL, FORM = sys.argv[1:]
OPENMETRICS = "application/openmetrics-text;version=1.0.0;q=0.5,text/plain;version=0.0.4;q=0.3,*/*;q=0.2"
accept, kind, read = {
    "openmetrics": (OPENMETRICS, "application/openmetrics-text; version=1.0.0; charset=utf-8", read_openmetrics),
    "text": ("text/plain", "text/plain; version=0.0.4; charset=utf-8", read_text),
}[FORM]

with urllib.request.urlopen(urllib.request.Request(URL, headers={"Accept": accept}), timeout=10) as response:
    found = response.headers["Content-Type"]
    text = response.read().decode()
if found != kind:
    sys.exit(f"it is {found}")
for family in read(text):
    for sample in family.samples:
        print(json.dumps({"name": sample.name, "labels": sample.labels, "value": sample.value, "kind": family.type}))
