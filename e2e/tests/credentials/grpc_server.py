"""A gRPC service that answers with what it was sent, also in its trailers. Messages are plain octets."""
import sys
from concurrent.futures import ThreadPoolExecutor

import grpc

port, certificate, key = sys.argv[1:]


def authorization(context):
    return dict(context.invocation_metadata()).get("authorization", "")


def read(request, context):
    sent = authorization(context)
    context.set_trailing_metadata([("x-debug", sent.partition(" ")[2]), ("x-authorized", str(bool(sent)))])
    return b"ticket " + request + b" by ann"


def watch(request, context):
    for number in range(5):
        yield b"%d" % number


METHODS = {
    "Read": grpc.unary_unary_rpc_method_handler(read),
    "Watch": grpc.unary_stream_rpc_method_handler(watch),
    "Talk": grpc.stream_stream_rpc_method_handler(lambda requests, context: requests),
}
with open(key, "rb") as key, open(certificate, "rb") as certificate:
    credentials = grpc.ssl_server_credentials([(key.read(), certificate.read())])
server = grpc.server(ThreadPoolExecutor(4))
server.add_generic_rpc_handlers([grpc.method_handlers_generic_handler("acme.Tickets", METHODS)])
server.add_secure_port(f"127.0.0.1:{port}", credentials)
server.start()
server.wait_for_termination()
