#!/usr/bin/env python3
"""Streams events from a Strata server and prints one JSON object per event, and
one {"completion": ...} per event whose container became known after it was sent.

Makes its message classes from the compiled contract (proto/gen/descriptor-set.binpb)
when it starts, so it needs nothing but python3-grpcio and python3-protobuf. The
last line on standard error is a JSON object with the totals and every gap.
"""

import argparse
import ipaddress
import json
import sys

import grpc
from google.protobuf import descriptor_pb2, descriptor_pool, message_factory


class Contract:
    """Message classes and enums of the package strata.v1."""

    def __init__(self, path):
        self.pool = descriptor_pool.DescriptorPool()
        files = descriptor_pb2.FileDescriptorSet()
        with open(path, "rb") as file:
            files.ParseFromString(file.read())
        for proto in files.file:
            self.pool.AddSerializedFile(proto.SerializeToString())

    def message(self, name):
        descriptor = self.pool.FindMessageTypeByName(f"strata.v1.{name}")
        if hasattr(message_factory, "GetMessageClass"):
            return message_factory.GetMessageClass(descriptor)
        return message_factory.MessageFactory(self.pool).GetPrototype(descriptor)

    def enum_number(self, enum, value):
        return self.pool.FindEnumTypeByName(f"strata.v1.{enum}").values_by_name[value].number

    def enum_name(self, enum, number):
        return self.pool.FindEnumTypeByName(f"strata.v1.{enum}").values_by_number[number].name


class ColumnDecoder:
    """Turns the columns of a batch into one list of values per field."""

    def __init__(self, contract):
        self.contract = contract
        self.unsigned = {self.type(n) for n in ("UINT32", "UINT64", "PORT", "ABSTIME")}
        self.signed = {self.type(n) for n in ("INT16", "INT32", "INT64", "RELTIME")}
        self.addresses = {self.type(n) for n in ("IPADDR", "IPNET")}

    def type(self, name):
        return self.contract.enum_number("FieldType", f"FIELD_TYPE_{name}")

    def rows(self, schema, column, count):
        """Values of `count` rows; None where the field is absent."""
        items = iter(self.items(schema, column))
        lengths = iter(column.list_lengths)
        values = []
        for row in range(count):
            if not self.is_present(column.present, row):
                values.append(None)
            elif schema.is_list:
                values.append([next(items) for _ in range(next(lengths))])
            else:
                values.append(next(items))
        return values

    @staticmethod
    def is_present(present, row):
        if not present:
            return True
        at = row // 8
        return at < len(present) and bool(present[at] >> (row % 8) & 1)

    def items(self, schema, column):
        kind = schema.type
        if kind in self.unsigned:
            return column.unsigned_values
        if kind in self.signed:
            return column.signed_values
        if kind == self.type("DOUBLE"):
            return column.double_values
        if kind == self.type("BOOL"):
            return column.bool_values
        if kind == self.type("DYNAMIC"):
            return [self.dynamic(value) for value in column.dynamic_values]
        words = [self.text(kind, word) for word in column.dictionary]
        return [words[index] for index in column.dictionary_indexes]

    def dynamic(self, value):
        name = value.WhichOneof("kind")
        return self.text(value.type, value.bytes_value) if name == "bytes_value" else getattr(value, name)

    def text(self, kind, word):
        if kind in self.addresses and len(word) in (4, 16):
            return str(ipaddress.ip_address(word))
        # Linux paths need not be UTF-8.
        return word.decode("utf-8", errors="replace")


def print_completion(contract, decoder, schema, completion):
    """The values replace those that were sent with the events of these sequence numbers."""
    fields = [schema[index] for index in completion.field_indexes]
    count = len(completion.sequences)
    columns = [decoder.rows(s, c, count) for s, c in zip(fields, completion.columns)]
    outcome = contract.enum_name("CompletionOutcome", completion.outcome)
    for row, sequence in enumerate(completion.sequences):
        values = {s.name: column[row] for s, column in zip(fields, columns)}
        print(json.dumps({"completion": {"sequence": sequence, "outcome": outcome, "values": values}}))


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--target", default="unix:/run/strata/strata.sock")
    parser.add_argument("--contract", required=True, help="the compiled contract: proto/gen/descriptor-set.binpb")
    parser.add_argument("--fields", required=True, help="field names, separated by commas")
    parser.add_argument("--filter", default="", help="condition in Falco's language")
    parser.add_argument("--delivery", choices=["immediate", "complete"], default="immediate")
    parser.add_argument("--count", type=int, help="stop after this many events")
    return parser.parse_args()


def main():
    arguments = parse_arguments()
    contract = Contract(arguments.contract)
    decoder = ColumnDecoder(contract)
    request_class = contract.message("StreamEventsRequest")
    filter_class = contract.message("NamedFilter")
    request = request_class(
        fields=arguments.fields.split(","),
        filters=[filter_class(condition=arguments.filter)],
        events_max=arguments.count,
        delivery_mode=contract.enum_number("DeliveryMode", f"DELIVERY_MODE_{arguments.delivery.upper()}"),
    )
    summary = {"batches": 0, "events": 0, "heartbeats": 0, "gaps": [], "reason": None}
    schema = []
    expected = 0
    with grpc.insecure_channel(arguments.target) as channel:
        stream_events = channel.unary_stream(
            "/strata.v1.EventService/StreamEvents",
            request_serializer=request_class.SerializeToString,
            response_deserializer=contract.message("StreamEventsResponse").FromString,
        )
        for response in stream_events(request):
            kind = response.WhichOneof("message")
            if kind == "started":
                schema = response.started.schema
            elif kind == "batch":
                batch = response.batch
                if batch.first_sequence != expected:
                    sys.exit(f"expected sequence number {expected}, got {batch.first_sequence}")
                expected += batch.count
                summary["batches"] += 1
                summary["events"] += batch.count
                columns = [decoder.rows(s, c, batch.count) for s, c in zip(schema, batch.columns)]
                for values in zip(*columns):
                    print(json.dumps({s.name: v for s, v in zip(schema, values)}))
            elif kind == "completion":
                print_completion(contract, decoder, schema, response.completion)
            elif kind == "gap":
                gap = response.gap
                if gap.HasField("first_sequence"):
                    expected += gap.lost_count
                summary["gaps"].append({"cause": contract.enum_name("GapCause", gap.cause), "lost": gap.lost_count})
            elif kind == "heartbeat":
                summary["heartbeats"] += 1
            elif kind == "ended":
                summary["reason"] = contract.enum_name("EndReason", response.ended.reason)
                summary["matched"] = response.ended.matched_count
    print(json.dumps(summary), file=sys.stderr)


if __name__ == "__main__":
    main()
