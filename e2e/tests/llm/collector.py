"""A collector: takes OTLP over HTTP or gRPC, reads it with OpenTelemetry's own messages, and writes each span as a line of JSON, over gRPC the
name of each metric as well.

Usage: collector.py PORT SPANS STATUS http|grpc, where the file STATUS holds the status that it answers with.
"""

import http.server
import json
import sys
import threading
from concurrent import futures

from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest, ExportMetricsServiceResponse
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest, ExportTraceServiceResponse
from opentelemetry.proto.trace.v1.trace_pb2 import Span, Status

PORT, SPANS, STATUS, PROTOCOL = sys.argv[1:]


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


def answer():
    with open(STATUS, encoding="ascii") as file:
        return int(file.read())


def write(request, key):
    with open(SPANS, "a", encoding="utf-8") as file:
        for resource in request.resource_spans:
            for scope in resource.scope_spans:
                for span in scope.spans:
                    file.write(json.dumps(shown(span, resource, scope) | {"key": key}) + "\n")


class Collector(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        status = answer()
        body = self.rfile.read(int(self.headers["Content-Length"]))
        if self.path != "/v1/traces" or self.headers["Content-Type"] != "application/x-protobuf":
            status = 404
        if status == 200:
            write(ExportTraceServiceRequest.FromString(body), self.headers.get("x-api-key"))
        taken = ExportTraceServiceResponse().SerializeToString()
        self.send_response(status)
        self.send_header("Content-Type", "application/x-protobuf")
        self.send_header("Content-Length", str(len(taken)))
        self.end_headers()
        self.wfile.write(taken)


def serve_grpc():
    # The system's own gRPC, behind the packages of this environment.
    sys.path.append("/usr/lib/python3/dist-packages")
    import grpc

    def export(request, context):
        if answer() != 200:
            context.abort(grpc.StatusCode.UNAVAILABLE, "not now")
        write(request, dict(context.invocation_metadata()).get("x-api-key"))
        return ExportTraceServiceResponse()

    def export_metrics(request, context):
        with open(SPANS, "a", encoding="utf-8") as file:
            for resource in request.resource_metrics:
                for scope in resource.scope_metrics:
                    for metric in scope.metrics:
                        file.write(json.dumps({"metric": metric.name}) + "\n")
        return ExportMetricsServiceResponse()

    def service(name, method, asked, answered):
        handler = grpc.unary_unary_rpc_method_handler(method, asked.FromString, answered.SerializeToString)
        return grpc.method_handlers_generic_handler(name, {"Export": handler})

    server = grpc.server(futures.ThreadPoolExecutor(4))
    server.add_generic_rpc_handlers((
        service("opentelemetry.proto.collector.trace.v1.TraceService", export, ExportTraceServiceRequest, ExportTraceServiceResponse),
        service("opentelemetry.proto.collector.metrics.v1.MetricsService", export_metrics, ExportMetricsServiceRequest, ExportMetricsServiceResponse),
    ))
    if server.add_insecure_port(f"127.0.0.1:{PORT}") != int(PORT):
        sys.exit("the port is taken")
    server.start()
    threading.Event().wait()


if PROTOCOL == "grpc":
    serve_grpc()
http.server.ThreadingHTTPServer(("127.0.0.1", int(PORT)), Collector).serve_forever()
