/** Server reflection, answered with the compiled contract exactly as it was written. */
import { readFileSync } from 'node:fs';
import { BinaryReader } from '@bufbuild/protobuf/wire';
import type { Server } from '@grpc/grpc-js';
import { ReflectionService } from '@grpc/reflection';

const DESCRIPTOR_SET = new URL('../../proto/gen/descriptor-set.binpb', import.meta.url);
/** `FileDescriptorSet.file`, length-delimited. */
const FILE_TAG = (1 << 3) | 2;

/** Encoded `FileDescriptorProto`s of the contract and of what it imports. */
export function contractFiles(): Buffer[] {
  const reader = new BinaryReader(readFileSync(DESCRIPTOR_SET));
  const files: Buffer[] = [];
  while (reader.pos < reader.len) {
    const tag = reader.uint32();
    if (tag === FILE_TAG) files.push(Buffer.from(reader.bytes()));
    else reader.skip(tag & 7);
  }
  return files;
}

export function addReflection(server: Pick<Server, 'addService'>): void {
  // The service takes a loaded package but reads only the descriptors of its entries. Loading the .proto files instead
  // would merge them into one descriptor without dependencies and field presence.
  const entry = {
    format: 'Protocol Buffer 3 EnumDescriptorProto' as const,
    type: {},
    fileDescriptorProtos: contractFiles(),
  };
  new ReflectionService({ 'strata.v1': entry }).addToServer(server);
}
