"""A collector: takes OTLP over HTTP, reads it with OpenTelemetry's own messages, and writes each span as a line of JSON.

Usage: collector.py PORT SPANS STATUS, where the file STATUS holds the status that it answers with.
"""

import http.server
import json
import sys

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest, ExportTraceServiceResponse
from opentelemetry.proto.trace.v1.trace_pb2 import Span, Status

PORT, SPANS, STATUS = sys.argv[1:]


def value(any_value):
    kind = any_value.WhichOneof("value")
    found = getattr(any_value, kind)
    return [value(one) for one in found.values] if kind == "array_value" else found


def attributes(pairs):
    return {pair.key: value(pair.value) for pair in pairs}


def shown(span, resource, scope):
    return {
        "trace": span.trace_id.hex(),
        "id": span.span_id.hex(),
        "parent": span.parent_span_id.hex(),
        "name": span.name,
        "kind": Span.SpanKind.Name(span.kind),
        "start": span.start_time_unix_nano,
        "end": span.end_time_unix_nano,
        "status": Status.StatusCode.Name(span.status.code),
        "attributes": attributes(span.attributes),
        "events": [{"name": event.name, "attributes": attributes(event.attributes)} for event in span.events],
        "service": attributes(resource.resource.attributes)["service.name"],
        "schema": scope.schema_url,
    }


class Collector(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        with open(STATUS, encoding="ascii") as file:
            status = int(file.read())
        body = self.rfile.read(int(self.headers["Content-Length"]))
        if self.path != "/v1/traces" or self.headers["Content-Type"] != "application/x-protobuf":
            status = 404
        if status == 200:
            request = ExportTraceServiceRequest.FromString(body)
            with open(SPANS, "a", encoding="utf-8") as file:
                for resource in request.resource_spans:
                    for scope in resource.scope_spans:
                        for span in scope.spans:
                            line = shown(span, resource, scope) | {"key": self.headers.get("x-api-key")}
                            file.write(json.dumps(line) + "\n")
        answer = ExportTraceServiceResponse().SerializeToString()
        self.send_response(status)
        self.send_header("Content-Type", "application/x-protobuf")
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)


http.server.ThreadingHTTPServer(("127.0.0.1", int(PORT)), Collector).serve_forever()
