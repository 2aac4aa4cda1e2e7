/** Prints a condition's tree as text that parses to the same tree. */
import type { AnyNode, FilterAst } from './ast.ts';
import { fromBinaryText } from './binary-text.ts';

// biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what has to be quoted
const BARE = /^[^()"'\x00-\x20=,\x7f]+$/;
// biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what has to be quoted
const BARE_ARGUMENT = /^[^\][\x00-\x20"'\x7f]+$/;
const ESCAPED = /[\b\f\n\r\t\\"]/g;
const ESCAPES: Readonly<Record<string, string>> = {
  '\b': '\\b',
  '\f': '\\f',
  '\n': '\\n',
  '\r': '\\r',
  '\t': '\\t',
  '\\': '\\\\',
  '"': '\\"',
};

/** The canonical text of a condition: single blanks, only the parentheses that are needed, quotes where needed. */
export function formatFilter(ast: FilterAst): string {
  return fromBinaryText(formatNode(ast));
}

/** The canonical text of any node, as a binary string. */
export function formatNode(node: AnyNode): string {
  switch (node.kind) {
    case 'or':
      return node.children.map((child) => inside(child, child.kind === 'or')).join(' or ');
    case 'and':
      return node.children
        .map((child) => inside(child, child.kind === 'or' || child.kind === 'and'))
        .join(' and ');
    case 'not': {
      const { kind } = node.child;
      return `not ${inside(node.child, kind === 'and' || kind === 'or' || kind === 'not')}`;
    }
    case 'identifier':
      return node.name;
    case 'exists':
      return `${formatNode(node.left)} exists`;
    case 'compare': {
      const modifier = node.modifier === undefined ? '' : `${node.modifier} `;
      return `${formatNode(node.left)} ${node.operator} ${modifier}${formatNode(node.right)}`;
    }
    case 'field':
      return node.name + brackets(node.argument);
    case 'transformer':
      return `${node.transformer}(${node.arguments.map(formatNode).join(', ')})${brackets(node.selector)}`;
    case 'group':
      return `(${node.items.map(formatNode).join(', ')})`;
    case 'list':
      return `(${node.values.map(formatNode).join(', ')})`;
    case 'value':
      return node.isQuoted || !BARE.test(node.text) ? quote(node.text) : node.text;
  }
}

function inside(node: FilterAst, needsParentheses: boolean): string {
  return needsParentheses ? `(${formatNode(node)})` : formatNode(node);
}

function brackets(argument: string | undefined): string {
  if (argument === undefined) return '';
  return `[${BARE_ARGUMENT.test(argument) ? argument : quote(argument)}]`;
}

function quote(text: string): string {
  return `"${text.replace(ESCAPED, (char) => ESCAPES[char] as string)}"`;
}
