/** containerd as its own API shows it (1.6), CRI on the same socket when wanted, for containers that a test makes up. */
import { type Metadata, status } from '@grpc/grpc-js';
import { spoil } from './fake-answers.ts';
import type { FakeContainer } from './fake-container.ts';
import { CriContent, ociSpec } from './fake-cri.ts';
import {
  FakeGrpcRuntime,
  type FakeService,
  type GrpcAnswer,
  loadServices,
  type Message,
} from './fake-grpc-runtime.ts';

const SPEC_TYPE = 'types.containerd.io/opencontainers/runtime-spec/1/Spec';
const TASK_STATUS: Readonly<Record<FakeContainer['state'], number>> = { created: 1, running: 2, exited: 3 };

/** Containers by id, for each namespace. */
type Namespaces = Map<string, Map<string, FakeContainer>>;

export class FakeContainerd extends FakeGrpcRuntime {
  readonly namespaces: Namespaces;
  /** The same daemon's CRI part; undefined when it has none. */
  readonly cri: CriContent | undefined;

  constructor(path: string, { hasCri = false }: { readonly hasCri?: boolean } = {}) {
    const namespaces: Namespaces = new Map();
    const cri = hasCri ? new CriContent() : undefined;
    super(path, [...containerdServices(namespaces), ...(cri?.services ?? [])]);
    this.namespaces = namespaces;
    this.cri = cri;
  }

  containersOf(namespace: string): Map<string, FakeContainer> {
    let rows = this.namespaces.get(namespace);
    if (rows === undefined) {
      rows = new Map();
      this.namespaces.set(namespace, rows);
    }
    return rows;
  }

  create(namespace: string, container: FakeContainer): void {
    this.containersOf(namespace).set(container.id, container);
    const { id, image, pid } = container;
    this.tell(namespace, '/containers/create', 'ContainerCreate', strings([1, id], [2, image]));
    this.tell(namespace, '/tasks/create', 'TaskCreate', Buffer.concat([strings([1, id]), varint(6, pid)]));
  }

  start(namespace: string, id: string): void {
    const row = this.containersOf(namespace).get(id);
    if (row === undefined) return;
    row.state = 'running';
    this.tell(namespace, '/tasks/start', 'TaskStart', Buffer.concat([strings([1, id]), varint(2, row.pid)]));
  }

  die(namespace: string, id: string): void {
    const row = this.containersOf(namespace).get(id);
    if (row === undefined) return;
    row.state = 'exited';
    this.tell(namespace, '/tasks/exit', 'TaskExit', strings([1, id], [2, id]));
  }

  remove(namespace: string, id: string): void {
    this.containersOf(namespace).delete(id);
    this.tell(namespace, '/containers/delete', 'ContainerDelete', strings([1, id]));
  }

  /** An event with these bytes, whatever they are. */
  tell(namespace: string, topic: string, type: string, value: Buffer): void {
    const event = { type_url: `containerd.events.${type}`, value };
    this.send({ timestamp: { seconds: '1795486328', nanos: 1 }, namespace, topic, event });
  }
}

/** Fields of text of a message, by number. */
export function strings(...fields: readonly (readonly [number, string])[]): Buffer {
  const parts = fields.map(([number, text]) => {
    const bytes = Buffer.from(text, 'utf8');
    return Buffer.concat([Buffer.from([(number << 3) | 2]), lengthOf(bytes.length), bytes]);
  });
  return Buffer.concat(parts);
}

function varint(number: number, value: number): Buffer {
  return Buffer.concat([Buffer.from([number << 3]), lengthOf(value)]);
}

function lengthOf(value: number): Buffer {
  const bytes: number[] = [];
  let rest = value;
  for (; rest > 127; rest = Math.floor(rest / 128)) bytes.push((rest % 128) | 128);
  return Buffer.from([...bytes, rest]);
}

function containerdServices(namespaces: Namespaces): readonly FakeService[] {
  const definitions = loadServices('containerd.proto', 'fake.containerd');
  return ['Version', 'Namespaces', 'Containers', 'Tasks', 'Images', 'Events'].map((name) => ({
    name: `containerd.services.${name.toLowerCase()}.v1.${name}`,
    definition: definitions[name] ?? {},
    answer: (method: string, request: Message, metadata: Metadata) =>
      answerOf(namespaces, `${name}.${method}`, request, metadata),
    answers: (method: string, _request: Message, metadata: Metadata) => {
      if (method !== 'ListStream') return undefined;
      const listed = answerOf(namespaces, 'Containers.List', {}, metadata);
      const rows = (listed as { readonly containers?: readonly Message[] }).containers;
      return rows === undefined ? listed : rows.map((container) => ({ container }));
    },
    spoil: spoilSpecs,
  }));
}

function answerOf(namespaces: Namespaces, call: string, request: Message, metadata: Metadata): GrpcAnswer {
  if (call === 'Version.Version') return { version: '1.6.20~ds1', revision: '1.6.20~ds1-1+deb12u3' };
  if (call === 'Namespaces.List') return { namespaces: [...namespaces.keys()].map((name) => ({ name })) };
  const namespace = String(metadata.get('containerd-namespace')[0] ?? '');
  if (namespace === '') {
    return { code: status.FAILED_PRECONDITION, details: 'namespace is required: failed precondition' };
  }
  const rows = namespaces.get(namespace) ?? new Map<string, FakeContainer>();
  const id = String(request['id'] ?? request['container_id'] ?? '');
  const row = rows.get(id);
  switch (call) {
    case 'Containers.List':
      return { containers: [...rows.values()].map(containerOf) };
    case 'Tasks.List':
      return { tasks: [...rows.values()].map(taskOf) };
    case 'Containers.Get':
      return row === undefined ? notFound(id, namespace) : { container: containerOf(row) };
    case 'Tasks.Get':
      return row === undefined ? notFound(id, namespace) : { process: taskOf(row) };
    default:
      return {
        image: {
          name: String(request['name'] ?? ''),
          target: { digest: `sha256:${'2'.repeat(64)}`, size: '422' },
        },
      };
  }
}

function notFound(id: string, namespace: string): GrpcAnswer {
  return { code: status.NOT_FOUND, details: `container "${id}" in namespace "${namespace}": not found` };
}

function containerOf(row: FakeContainer): Message {
  return {
    id: row.id,
    labels: row.labels,
    image: row.image,
    runtime: { name: 'io.containerd.runc.v2' },
    spec: { type_url: SPEC_TYPE, value: Buffer.from(JSON.stringify(ociSpec(row)), 'utf8') },
    snapshotter: 'overlayfs',
    snapshot_key: row.id,
    created_at: { seconds: `${Math.floor(row.createdMs / 1000)}`, nanos: 0 },
    updated_at: { seconds: `${Math.floor(row.createdMs / 1000)}`, nanos: 0 },
  };
}

/** The real one names its tasks by `id` and leaves `container_id` out. */
function taskOf(row: FakeContainer): Message {
  return { id: row.id, pid: row.pid, status: TASK_STATUS[row.state], exited_at: { seconds: '-62135596800' } };
}

function spoilSpecs(answer: Message, how: 'wrong-types' | 'no-json'): Message {
  const rows = answer['containers'];
  if (Array.isArray(rows)) return { ...answer, containers: rows.map((row: Message) => spoilSpec(row, how)) };
  const row = answer['container'] as Message | undefined;
  return row === undefined ? answer : { ...answer, container: spoilSpec(row, how) };
}

function spoilSpec(row: Message, how: 'wrong-types' | 'no-json'): Message {
  const spec = row['spec'] as { readonly type_url: string; readonly value: Buffer };
  const text = spec.value.toString('utf8');
  const spoilt = how === 'no-json' ? text.slice(0, text.length / 2) : JSON.stringify(spoil(JSON.parse(text)));
  return { ...row, spec: { ...spec, value: Buffer.from(spoilt, 'utf8') } };
}
