/**
 * Which of many paths is a prefix of a given one, by whole components: `/tmp/a` is one of `/tmp/a` and `/tmp/a/b`, not of
 * `/tmp/ab`. Components of a search path may be shell patterns. One walk down a tree, whatever the number of paths.
 */
import { compileGlob } from './glob.ts';

const GLOB_CHARS = /[?*[]/;

interface PathNode {
  /** A search path ends here. */
  isEnd: boolean;
  readonly children: Map<string, PathNode>;
  readonly globs: {
    readonly pattern: string;
    readonly test: (text: string) => boolean;
    readonly node: PathNode;
  }[];
}

/** A test of binary texts against search paths, binary strings too. */
export function compilePathPrefixes(paths: readonly string[]): (path: string) => boolean {
  const root = newNode();
  for (const path of paths) add(root, path);
  // Slashes around and between components do not matter, as in the reference: the path '/' is a prefix of everything.
  if (root.isEnd) return () => true;
  return (path) => matches(root, path);
}

function newNode(): PathNode {
  return { isEnd: false, children: new Map(), globs: [] };
}

function add(root: PathNode, path: string): void {
  let node = root;
  for (const component of path.split('/')) {
    if (component === '') continue;
    node = GLOB_CHARS.test(component) ? globChild(node, component) : plainChild(node, component);
  }
  node.isEnd = true;
}

function plainChild(node: PathNode, name: string): PathNode {
  let child = node.children.get(name);
  if (child === undefined) {
    child = newNode();
    node.children.set(name, child);
  }
  return child;
}

function globChild(node: PathNode, pattern: string): PathNode {
  const known = node.globs.find((glob) => glob.pattern === pattern);
  if (known !== undefined) return known.node;
  const glob = { pattern, test: compileGlob(pattern, false), node: newNode() };
  node.globs.push(glob);
  return glob.node;
}

function matches(root: PathNode, path: string): boolean {
  let nodes: PathNode[] = [root];
  let start = 0;
  while (start < path.length) {
    let end = path.indexOf('/', start);
    if (end < 0) end = path.length;
    if (end > start) {
      nodes = step(nodes, path.slice(start, end));
      if (nodes.length === 0) return false;
      for (const node of nodes) if (node.isEnd) return true;
    }
    start = end + 1;
  }
  return false;
}

/** The nodes that one more component leads to; each node has one parent, so none comes twice. */
function step(nodes: readonly PathNode[], component: string): PathNode[] {
  const next: PathNode[] = [];
  for (const node of nodes) {
    const child = node.children.get(component);
    if (child !== undefined) next.push(child);
    for (const glob of node.globs) if (glob.test(component)) next.push(glob.node);
  }
  return next;
}
