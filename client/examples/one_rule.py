#!/usr/bin/env python3
"""One rule as a rule engine runs it: a named filter, the fields its output needs, one alert per match.

    python3 client/examples/one_rule.py [ADDRESS]

Needs python3-grpcio and python3-protobuf, and no generated code. `strata rules check --json FILE` prints the expanded
condition of any rule in Falco's format, ready to be put below.
"""
import json
import pathlib
import sys

import grpc
from google.protobuf import descriptor_pb2, descriptor_pool, message_factory

ADDRESS = sys.argv[1] if len(sys.argv) > 1 else "unix:/run/strata/strata.sock"
CONTRACT = pathlib.Path(__file__).parents[2] / "proto/gen/descriptor-set.binpb"
RENDERING_JSON = 3
RULE = {
    "rule": "Secret file opened",
    "condition": "evt.type in (open, openat, openat2) and fd.name in (/etc/shadow, /etc/sudoers)",
    "output": "Secrets opened (user={user.name} file={fd.name} by={proc.cmdline} result={evt.res})",
    "priority": "Warning",
    "fields": ["user.name", "fd.name", "proc.cmdline", "evt.res"],
}


def message_class(pool, name):
    descriptor = pool.FindMessageTypeByName(f"strata.v1.{name}")
    if hasattr(message_factory, "GetMessageClass"):
        return message_factory.GetMessageClass(descriptor)
    return message_factory.MessageFactory(pool).GetPrototype(descriptor)


pool = descriptor_pool.DescriptorPool()
for file in descriptor_pb2.FileDescriptorSet.FromString(CONTRACT.read_bytes()).file:
    pool.AddSerializedFile(file.SerializeToString())
request = message_class(pool, "StreamEventsRequest")(
    filters=[{"name": RULE["rule"], "condition": RULE["condition"]}],
    fields=["evt.time", *RULE["fields"]],
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
            output = RULE["output"]
            for field in RULE["fields"]:
                output = output.replace(f"{{{field}}}", "<NA>" if event[field] is None else str(event[field]))
            print(f'{event["evt.time"]} ns: {RULE["priority"]} {output}')
