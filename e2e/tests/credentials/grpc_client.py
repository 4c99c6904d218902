"""Calls the service as usual."""
import grpc

channel = grpc.secure_channel("grpc.acme.test:443", grpc.ssl_channel_credentials())
answer, call = channel.unary_unary("/acme.Tickets/Read").with_call(b"7", timeout=20)
trailers = dict(call.trailing_metadata())
print("read:", answer.decode())
print("authorized:", trailers["x-authorized"])
print("trailer:", trailers["x-debug"])
print("watched:", *(part.decode() for part in channel.unary_stream("/acme.Tickets/Watch")(b"", timeout=20)))
try:
    list(channel.stream_stream("/acme.Tickets/Talk")(iter([b"a"]), timeout=20))
    print("both ways: it went through")
except grpc.RpcError as error:
    print("both ways:", error.code().name)
