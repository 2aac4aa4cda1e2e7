/** Transformers of several values: `join(separator, list)`, `concat(a, b, ...)`, `getopt(list, options)[x]`. */
import type { Extractor } from '../fields/field.ts';
import type { AnyNode, MultiTransformer, TransformerNode } from './ast.ts';
import { FilterError } from './filter-error.ts';
import { listOptions, type OptionTable, parseOptionString, selectOption } from './getopt.ts';
import type { Operand } from './operand.ts';

/** The value of the call; absent when one of the arguments is. Throws FilterError for arguments that do not fit. */
export function compileMultiTransformer(
  transformer: MultiTransformer,
  node: TransformerNode,
  args: readonly Operand[],
): Extractor {
  switch (transformer) {
    case 'join':
      return compileJoin(node, args);
    case 'concat':
      return compileConcat(node, args);
    case 'getopt':
      return compileGetopt(node, args);
  }
}

function compileJoin(node: TransformerNode, args: readonly Operand[]): Extractor {
  const [separator, list] = args;
  if (separator === undefined || list === undefined || args.length !== 2) {
    throw new FilterError('join() takes a separator and a list', node.position);
  }
  mustText(node, 0, separator, false, 'the separator of join()');
  mustText(node, 1, list, true, 'the second argument of join()');
  return (event) => {
    const between = separator.read(event);
    const texts = list.read(event);
    if (between === undefined || texts === undefined) return undefined;
    return (texts as readonly string[]).join(between as string);
  };
}

function compileConcat(node: TransformerNode, args: readonly Operand[]): Extractor {
  if (args.length < 2) throw new FilterError('concat() takes at least two arguments', node.position);
  for (const [i, operand] of args.entries()) mustText(node, i, operand, false, 'each argument of concat()');
  const readers = args.map((operand) => operand.read);
  return (event) => {
    let text = '';
    for (const read of readers) {
      const part = read(event);
      if (part === undefined) return undefined;
      text += part as string;
    }
    return text;
  };
}

function compileGetopt(node: TransformerNode, args: readonly Operand[]): Extractor {
  const [list, options] = args;
  if (list === undefined || options === undefined || args.length !== 2) {
    throw new FilterError('getopt() takes a list of arguments and an option string', node.position);
  }
  mustText(node, 0, list, true, 'the first argument of getopt()');
  mustText(node, 1, options, false, 'the option string of getopt()');
  const { selector } = node;
  if (selector !== undefined && selector.length !== 1) {
    throw new FilterError('the option in the brackets of getopt() must be one character', node.position);
  }
  const tableOf = optionTables(options);
  return (event) => {
    const text = options.read(event);
    const words = text === undefined ? undefined : list.read(event);
    if (words === undefined) return undefined;
    const table = tableOf(text as string);
    if (selector === undefined) return listOptions(words as readonly string[], table);
    return selectOption(words as readonly string[], table, selector);
  };
}

/** Parses an option string once as long as it stays the same. */
function optionTables(options: Operand): (text: string) => OptionTable {
  let last = options.constant ?? '';
  let table = parseOptionString(last);
  return (text) => {
    if (text !== last) {
      table = parseOptionString(text);
      last = text;
    }
    return table;
  };
}

function mustText(
  node: TransformerNode,
  index: number,
  operand: Operand,
  isList: boolean,
  what: string,
): void {
  if (operand.type === 'string' && operand.isList === isList) return;
  const wanted = isList ? 'a list of texts' : 'a single text';
  const position = (node.arguments[index] as AnyNode).position;
  throw new FilterError(`${what} must be ${wanted}, '${operand.label}' is not`, position);
}
