/**
 * Numbers the nodes of a condition so that equal sub-expressions have the same id, and counts from how many different
 * places each is reached: what is reached more than once is worth remembering per event. Linear in the tree.
 */
import type { AnyNode } from './ast.ts';
import { childrenOf } from './visit.ts';

export class NodeIds {
  private readonly ids: Map<string, number>;
  private readonly byNode: Map<AnyNode, number>;
  /** By id: distinct parents that hold the node. */
  private readonly parents: number[];

  constructor() {
    this.ids = new Map();
    this.byNode = new Map();
    this.parents = [];
  }

  /** Numbers the node and everything below it. */
  add(node: AnyNode): number {
    const children = childrenOf(node).map((child) => this.add(child));
    const key = `${ownKey(node)}\0${children.join(',')}`;
    let id = this.ids.get(key);
    if (id === undefined) {
      id = this.ids.size;
      this.ids.set(key, id);
      this.parents.push(0);
      for (const child of new Set(children)) this.parents[child] = (this.parents[child] as number) + 1;
    }
    this.byNode.set(node, id);
    return id;
  }

  /** The id of a node that was added. */
  mustId(node: AnyNode): number {
    const id = this.byNode.get(node);
    if (id === undefined) throw new Error(`a ${node.kind} node was not numbered`);
    return id;
  }

  /** Whether more than one different node holds this one. */
  isShared(id: number): boolean {
    return (this.parents[id] as number) > 1;
  }
}

/** What tells a node from others with the same children. */
function ownKey(node: AnyNode): string {
  switch (node.kind) {
    case 'compare':
      return `compare\0${node.operator}\0${node.modifier ?? ''}`;
    case 'field':
      return `field\0${node.name}${node.argument === undefined ? '' : `\0${node.argument}`}`;
    case 'transformer':
      return `transformer\0${node.transformer}${node.selector === undefined ? '' : `\0${node.selector}`}`;
    case 'identifier':
      return `identifier\0${node.name}`;
    case 'value':
      return `value\0${node.text}`;
    default:
      return node.kind;
  }
}
