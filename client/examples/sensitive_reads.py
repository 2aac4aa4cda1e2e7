#!/usr/bin/env python3
"""Who opened what nobody should? A stream of JSON lines, in Python.

    python3 client/examples/sensitive_reads.py [ADDRESS]

Needs python3-grpcio and python3-protobuf, and no generated code: message classes are made from the compiled contract.
With a protoc from 3.15 on, classes can be generated from proto/ instead.
"""

import json
import pathlib
import sys

import grpc
from google.protobuf import descriptor_pb2, descriptor_pool, message_factory

ADDRESS = sys.argv[1] if len(sys.argv) > 1 else "unix:/run/strata/strata.sock"
CONTRACT = pathlib.Path(__file__).parents[2] / "proto/gen/descriptor-set.binpb"
RENDERING_JSON = 3


def message_class(pool, name):
    """The class of a message of the contract, with old and new versions of protobuf."""
    descriptor = pool.FindMessageTypeByName(f"strata.v1.{name}")
    if hasattr(message_factory, "GetMessageClass"):
        return message_factory.GetMessageClass(descriptor)
    return message_factory.MessageFactory(pool).GetPrototype(descriptor)


def load_contract():
    pool = descriptor_pool.DescriptorPool()
    for file in descriptor_pb2.FileDescriptorSet.FromString(CONTRACT.read_bytes()).file:
        pool.AddSerializedFile(file.SerializeToString())
    return pool


def main():
    pool = load_contract()
    request = message_class(pool, "StreamEventsRequest")(
        filters=[{"condition": "evt.type in (open, openat) and fd.name = /etc/shadow"}],
        fields=["evt.num", "evt.res", "proc.cmdline", "proc.pcmdline", "user.name"],
        rendering=RENDERING_JSON,
    )
    with grpc.insecure_channel(ADDRESS) as channel:
        stream_events = channel.unary_stream(
            "/strata.v1.EventService/StreamEvents",
            request_serializer=lambda message: message.SerializeToString(),
            response_deserializer=message_class(pool, "StreamEventsResponse").FromString,
        )
        for response in stream_events(request):
            if response.HasField("gap"):
                print(f"lost {response.gap.lost_count} events", file=sys.stderr)
            for line in response.batch.rendered.splitlines():
                event = json.loads(line)
                user, command, parent = (event[name] for name in ("user.name", "proc.cmdline", "proc.pcmdline"))
                print(f'{user} ran "{command}" from "{parent}": {event["evt.res"]}')


if __name__ == "__main__":
    main()
