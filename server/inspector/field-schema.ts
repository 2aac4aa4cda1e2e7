/** Field types and values as the contract spells them. */
import {
  type FieldSchema,
  FieldType as FieldTypeNumber,
  type FieldValue as FieldValueMessage,
} from '../../proto/gen/strata/v1/value.ts';
import type { DynamicValue, FieldRow, FieldType, FieldValue, Scalar } from '../fields/field.ts';

export const FIELD_TYPE_NUMBERS: Readonly<Record<FieldType, FieldTypeNumber>> = {
  string: FieldTypeNumber.STRING,
  bool: FieldTypeNumber.BOOL,
  int16: FieldTypeNumber.INT16,
  int32: FieldTypeNumber.INT32,
  int64: FieldTypeNumber.INT64,
  uint32: FieldTypeNumber.UINT32,
  uint64: FieldTypeNumber.UINT64,
  double: FieldTypeNumber.DOUBLE,
  abstime: FieldTypeNumber.ABSTIME,
  reltime: FieldTypeNumber.RELTIME,
  ipaddr: FieldTypeNumber.IPADDR,
  ipnet: FieldTypeNumber.IPNET,
  port: FieldTypeNumber.PORT,
  bytes: FieldTypeNumber.BYTES,
  dynamic: FieldTypeNumber.DYNAMIC,
};

/** What a schema entry is made of. */
export interface NamedField {
  /** As it was asked for, argument included. */
  readonly name: string;
  readonly row: FieldRow;
}

export function fieldSchema(field: NamedField): FieldSchema {
  return {
    name: field.name,
    type: FIELD_TYPE_NUMBERS[field.row.type],
    isList: field.row.isList,
    fieldClass: field.row.fieldClass,
    unavailableReason: field.row.unavailable,
  };
}

/** One value of a field of `type`; absent values have no kind. For answers to queries, not for the loop. */
export function fieldValueMessage(type: FieldType, value: FieldValue): FieldValueMessage {
  if (value === undefined) return { kind: undefined, type: FieldTypeNumber.UNSPECIFIED };
  if (Array.isArray(value)) {
    const values = (value as readonly Scalar[]).map((item) => fieldValueMessage(type, item));
    return { kind: { $case: 'listValue', value: { values } }, type: FieldTypeNumber.UNSPECIFIED };
  }
  if (typeof value === 'object') {
    const { type: own, value: scalar } = value as DynamicValue;
    return { kind: scalarKind(own, scalar), type: FIELD_TYPE_NUMBERS[own] };
  }
  return { kind: scalarKind(type, value as Scalar), type: FieldTypeNumber.UNSPECIFIED };
}

function scalarKind(type: FieldType, value: Scalar): FieldValueMessage['kind'] {
  switch (type) {
    case 'uint32':
    case 'uint64':
    case 'abstime':
    case 'port':
      return { $case: 'unsignedValue', value: BigInt.asUintN(64, BigInt(value)) };
    case 'int16':
    case 'int32':
    case 'int64':
    case 'reltime':
      return { $case: 'signedValue', value: BigInt.asIntN(64, BigInt(value)) };
    case 'double':
      return { $case: 'doubleValue', value: Number(value) };
    case 'bool':
      return { $case: 'boolValue', value: value === true };
    default:
      return { $case: 'bytesValue', value: Buffer.from(String(value), 'latin1') };
  }
}
