/** What a comparison reads from an event: fields, transformers around them, and constants inside transformers. */
import type { PrintFormat } from '../event/event-table.ts';
import type { Extractor, FieldArgument, FieldRow, FieldType } from '../fields/field.ts';
import type {
  AnyNode,
  ArgumentNode,
  FieldNode,
  GroupNode,
  SingleTransformer,
  TransformerNode,
} from './ast.ts';
import { type CompileContext, located, remembered } from './compile-context.ts';
import { FilterError } from './filter-error.ts';
import { formatNode } from './format-filter.ts';
import { compileMultiTransformer } from './multi-transformers.ts';
import { textReader } from './scalar-text.ts';
import { compileSingleTransformer } from './single-transformers.ts';

export interface Operand {
  readonly type: FieldType;
  readonly isList: boolean;
  readonly format: PrintFormat;
  /** As written, for messages. */
  readonly label: string;
  readonly read: Extractor;
  /** The field at the bottom; undefined when there are several or none. */
  readonly row: FieldRow | undefined;
  /** Set for a field without transformers. */
  readonly argument: FieldArgument | undefined;
  readonly isPlainField: boolean;
  /** The text of a constant. */
  readonly constant: string | undefined;
}

/** Compiles an operand; equal operands of a condition are read once per event. Throws FilterError. */
export function compileOperand(node: ArgumentNode, context: CompileContext): Operand {
  const id = context.ids.mustId(node);
  const known = context.operands.get(id);
  if (known !== undefined) return known;
  const compiled = compileNode(node, context);
  const isWorthIt = compiled.constant === undefined && context.ids.isShared(id);
  const operand = isWorthIt ? { ...compiled, read: remembered(context.scope, compiled.read) } : compiled;
  context.operands.set(id, operand);
  return operand;
}

function compileNode(node: ArgumentNode, context: CompileContext): Operand {
  switch (node.kind) {
    case 'field':
      return fieldOperand(node, context);
    case 'transformer':
      return transformerOperand(node, context);
    case 'value':
      return { ...PLAIN_TEXT, label: formatNode(node), read: () => node.text, constant: node.text };
    case 'group':
      return groupOperand(node, context);
  }
}

const PLAIN_TEXT = {
  type: 'string',
  isList: false,
  format: 'NA',
  row: undefined,
  argument: undefined,
  isPlainField: false,
  constant: undefined,
} as const;

function fieldOperand(node: FieldNode, context: CompileContext): Operand {
  const label = formatNode(node);
  try {
    const { row, argument } = context.catalogue.parseFieldReference(referenceText(node));
    if (row.printOnly === true) throw new FilterError(`field '${label}' is for output only`, node.position);
    if (row.deprecated === true) {
      context.warnings.push({ message: `field '${row.name}' is deprecated`, position: node.position });
    }
    context.fields.add(label);
    const read = row.bindFilter === undefined ? row.bind(argument) : row.bindFilter(argument);
    const { type, format, isList } = row;
    return { type, isList, format, label, read, row, argument, isPlainField: true, constant: undefined };
  } catch (error) {
    throw located(error, node);
  }
}

/** The field as the catalogue reads it. Arguments are always quoted: they may hold anything. */
function referenceText(node: FieldNode): string {
  if (node.argument === undefined) return node.name;
  return `${node.name}["${node.argument.replace(/["\\]/g, '\\$&')}"]`;
}

function transformerOperand(node: TransformerNode, context: CompileContext): Operand {
  const args = node.arguments.map((argument) => compileOperand(argument, context));
  for (const [i, operand] of args.entries()) refuseTransformer(operand, node, node.arguments[i] as AnyNode);
  const { transformer } = node;
  const label = formatNode(node);
  if (transformer === 'join' || transformer === 'concat' || transformer === 'getopt') {
    const read = compileMultiTransformer(transformer, node, args);
    const isList = transformer === 'getopt' && node.selector === undefined;
    return { ...PLAIN_TEXT, isList, label, read };
  }
  const operand = args[0] as Operand;
  if (args.length !== 1) {
    throw new FilterError(`${transformer}() takes one argument, not ${args.length}`, node.position);
  }
  // It only tells a field from a text.
  if (transformer === 'val') return operand;
  return singleOperand(transformer, node, operand, label);
}

function refuseTransformer(operand: Operand, node: TransformerNode, argument: AnyNode): void {
  if (node.transformer === 'val' || operand.row?.noTransformer !== true) return;
  throw new FilterError(`field '${operand.row.name}' may not stand in a transformer`, argument.position);
}

function singleOperand(
  transformer: SingleTransformer,
  node: TransformerNode,
  operand: Operand,
  label: string,
): Operand {
  const compiled = compileSingleTransformer(transformer, operand.type, operand.isList);
  if (compiled === undefined) {
    const type = operand.isList ? `a list of ${operand.type}` : `type ${operand.type}`;
    throw new FilterError(
      `${transformer}() does not take '${operand.label}', which has ${type}`,
      (node.arguments[0] as AnyNode).position,
    );
  }
  const { read } = operand;
  const { transform } = compiled;
  return {
    type: compiled.type,
    isList: compiled.isList,
    format: compiled.type === operand.type ? operand.format : 'DEC',
    label,
    read: (event) => {
      const value = read(event);
      return value === undefined ? undefined : transform(value);
    },
    row: operand.row,
    argument: undefined,
    isPlainField: false,
    constant: undefined,
  };
}

/** A list of constants and single values, each as text; absent when one of them is. */
function groupOperand(node: GroupNode, context: CompileContext): Operand {
  const readers = node.items.map((item) => {
    const operand = compileOperand(item, context);
    if (!operand.isList && operand.type !== 'dynamic') return textReader(operand);
    throw new FilterError(`'${operand.label}' is a list and may not stand in another`, item.position);
  });
  const read: Extractor = (event) => {
    const texts: string[] = [];
    for (const reader of readers) {
      const text = reader(event);
      if (text === undefined) return undefined;
      texts.push(text);
    }
    return texts;
  };
  return { ...PLAIN_TEXT, isList: true, label: formatNode(node), read };
}
