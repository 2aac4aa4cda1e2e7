/** Fields of built events, bound as they are written. */
import type { Extractor } from '../../server/fields/field.ts';
import { bindField as bind } from '../../server/fields/field-reference.ts';

/** The typed value's extractor, or the one for JSON or text where the field has its own. */
export function bindField(reference: string, form: 'value' | 'json' | 'text' = 'value'): Extractor {
  return bind(reference)[form === 'value' ? 'extract' : form];
}
