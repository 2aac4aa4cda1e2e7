/** Calls of gRPC services by the trimmed protos beside this file. Messages are plain objects whose members are checked where read. */
import { fileURLToPath } from 'node:url';
import { loadSync, type PackageDefinition } from '@grpc/proto-loader';
import type { JsonObject } from '../container-json.ts';

export interface GrpcMethod {
  /** Such as `ListContainers`, for messages. */
  readonly name: string;
  readonly path: string;
  encode(request: object): Buffer;
  decode(bytes: Buffer): JsonObject;
}

const PROTO_DIR = fileURLToPath(new URL('./protos/', import.meta.url));

/** 64-bit numbers as decimal text, enums by name (unknown ones by number), absent members with their zero value. */
const LOAD_OPTIONS = { keepCase: true, longs: String, enums: String, defaults: true };

const packages: Map<string, PackageDefinition> = new Map();

/** One call of a service. `inPackage` replaces the package it is called under. Throws when the proto has no such call. */
export function grpcMethod(file: string, service: string, name: string, inPackage?: string): GrpcMethod {
  const definition = packageOf(file)[service];
  const method =
    definition === undefined ? undefined : Object.entries(definition).find(([key]) => key === name)?.[1];
  if (method === undefined) throw new Error(`${file} has no call ${name} of ${service}`);
  const word = service.slice(service.lastIndexOf('.') + 1);
  return {
    name,
    path: inPackage === undefined ? method.path : `/${inPackage}.${word}/${name}`,
    encode: method.requestSerialize,
    decode: method.responseDeserialize,
  };
}

/** Reader of one message type; throws on bytes that are none. */
export function grpcDecoder(file: string, type: string): (bytes: Buffer) => JsonObject {
  const definition = packageOf(file)[type];
  const deserialize =
    definition === undefined
      ? undefined
      : Object.entries(definition).find(([key]) => key === 'deserialize')?.[1];
  if (typeof deserialize !== 'function') throw new Error(`${file} has no message ${type}`);
  return deserialize;
}

function packageOf(file: string): PackageDefinition {
  let definition = packages.get(file);
  if (definition === undefined) {
    definition = loadSync(PROTO_DIR + file, LOAD_OPTIONS);
    packages.set(file, definition);
  }
  return definition;
}
