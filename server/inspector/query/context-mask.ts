/** Which members of a `Context` a request wants: a field mask compiled to a tree over the members of the messages. */
import { Context } from '../../../proto/gen/strata/v1/enrichment_service.ts';
import {
  Capabilities,
  Cgroup,
  Container,
  ContainerMount,
  Executable,
  Fd,
  Group,
  HealthProbe,
  Pod,
  PodOwner,
  PodService,
  SocketAddresses,
  Thread,
  User,
} from '../../../proto/gen/strata/v1/state.ts';
import { nearestNames } from '../../event/nearest-names.ts';
import { StrataError } from '../../event/strata-error.ts';

type Message = Readonly<Record<string, unknown>>;

/** A message's members by the name a mask calls them, and what stands where one is not wanted. */
interface Shape {
  readonly base: Message;
  readonly members: ReadonlyMap<string, string>;
  /** Shapes of the members that are messages, or lists of them. */
  readonly nested: Readonly<Record<string, Shape>>;
}

/** Wanted members; undefined: the whole member. */
type Tree = Map<string, Tree | undefined>;

function shapeOf(base: object, nested: Readonly<Record<string, Shape>> = {}): Shape {
  const members = new Map(Object.keys(base).map((name) => [snakeCase(name), name]));
  return { base: base as Message, members, nested };
}

function snakeCase(name: string): string {
  return name.replaceAll(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
}

const THREAD = shapeOf(Thread.create(), {
  cgroups: shapeOf(Cgroup.create()),
  executable: shapeOf(Executable.create()),
  capabilities: shapeOf(Capabilities.create()),
});
const PROBE = shapeOf(HealthProbe.create());
const USER = shapeOf(User.create());
const CONTEXT = shapeOf(Context.create(), {
  thread: THREAD,
  process: THREAD,
  ancestors: THREAD,
  fd: shapeOf(Fd.create(), { socket: shapeOf(SocketAddresses.create()) }),
  user: USER,
  group: shapeOf(Group.create()),
  loginUser: USER,
  container: shapeOf(Container.create(), {
    mounts: shapeOf(ContainerMount.create()),
    healthcheck: PROBE,
    livenessProbe: PROBE,
    readinessProbe: PROBE,
  }),
  pod: shapeOf(Pod.create(), {
    owners: shapeOf(PodOwner.create()),
    services: shapeOf(PodService.create()),
  }),
});

export class ContextMask {
  private readonly tree: Tree | undefined;

  /** Without paths everything is wanted. Throws StrataError INVALID_ARGUMENT for a path that leads nowhere. */
  constructor(paths: readonly string[] | undefined) {
    if (paths === undefined || paths.length === 0) {
      this.tree = undefined;
      return;
    }
    const tree: Tree = new Map();
    paths.forEach((path, i) => {
      addPath(tree, path, i);
    });
    this.tree = tree;
  }

  /** Whether anything of the member is wanted. */
  wants(member: keyof Context): boolean {
    return this.tree === undefined || this.tree.has(member);
  }

  prune(context: Context): Context {
    return this.tree === undefined
      ? context
      : (pruneMessage(context, CONTEXT, this.tree) as unknown as Context);
  }
}

function addPath(root: Tree, path: string, index: number): void {
  let tree = root;
  let shape: Shape | undefined = CONTEXT;
  const parts = path.split('.');
  for (const [depth, part] of parts.entries()) {
    const member: string | undefined = shape?.members.get(part);
    if (shape === undefined || member === undefined) throw unknownPath(path, index, parts, depth, shape);
    const below: Tree | undefined = tree.get(member);
    // The whole member is wanted already.
    if (tree.has(member) && below === undefined) return;
    if (depth === parts.length - 1) {
      tree.set(member, undefined);
      return;
    }
    const next: Tree = below ?? new Map();
    tree.set(member, next);
    tree = next;
    shape = shape.nested[member];
  }
}

function unknownPath(
  path: string,
  index: number,
  parts: readonly string[],
  depth: number,
  shape: Shape | undefined,
): StrataError {
  const prefix = parts.slice(0, depth).map((part) => `${part}.`);
  const suggestions = nearestNames(parts[depth] ?? '', shape?.members.keys() ?? []);
  return new StrataError({
    code: 'INVALID_ARGUMENT',
    message: `unknown path '${path}' in the field mask`,
    reason: 'UNKNOWN_MASK_PATH',
    field: `field_mask.paths[${index}]`,
    position: prefix.join('').length,
    suggestions: suggestions.map((name) => `${prefix.join('')}${name}`),
  });
}

function pruneMessage(message: object, shape: Shape, tree: Tree): Message {
  const pruned: Record<string, unknown> = { ...shape.base };
  for (const [member, below] of tree) {
    const value = (message as Message)[member];
    const nested = shape.nested[member];
    pruned[member] = below === undefined || nested === undefined ? value : pruneValue(value, nested, below);
  }
  return pruned;
}

function pruneValue(value: unknown, shape: Shape, tree: Tree): unknown {
  if (Array.isArray(value)) return value.map((item: object) => pruneMessage(item, shape, tree));
  return value === undefined ? undefined : pruneMessage(value as object, shape, tree);
}
