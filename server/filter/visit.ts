/** Walks and rewrites condition trees. */
import type { AnyNode, FilterAst, IdentifierNode } from './ast.ts';

/** The nodes directly below a node, in source order. */
export function childrenOf(node: AnyNode): readonly AnyNode[] {
  switch (node.kind) {
    case 'and':
    case 'or':
      return node.children;
    case 'not':
      return [node.child];
    case 'exists':
      return [node.left];
    case 'compare':
      return [node.left, node.right];
    case 'transformer':
      return node.arguments;
    case 'group':
      return node.items;
    case 'list':
      return node.values;
    default:
      return [];
  }
}

/** Calls `visit` for the node and everything below it, parents first. */
export function visitNodes(node: AnyNode, visit: (node: AnyNode) => void): void {
  visit(node);
  for (const child of childrenOf(node)) visitNodes(child, visit);
}

/** A tree with every identifier replaced by what `replace` gives for it; undefined leaves it as it is. */
export function replaceIdentifiers(
  ast: FilterAst,
  replace: (node: IdentifierNode) => FilterAst | undefined,
): FilterAst {
  switch (ast.kind) {
    case 'identifier':
      return replace(ast) ?? ast;
    case 'not':
      return { ...ast, child: replaceIdentifiers(ast.child, replace) };
    case 'and':
    case 'or':
      return { ...ast, children: ast.children.map((child) => replaceIdentifiers(child, replace)) };
    default:
      return ast;
  }
}
