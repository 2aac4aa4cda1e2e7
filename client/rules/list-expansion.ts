/**
 * Lists: what they hold once the lists in them are replaced, and how their names are replaced in conditions.
 *
 * Names are replaced in the text of a condition, before it is parsed, wherever they stand between blanks, parentheses,
 * commas and equal signs: that is how the format has always worked, and conditions rely on it.
 */
import type { ListDefinition } from './definitions.ts';
import { type Diagnostics, RuleError } from './diagnostics.ts';
import { MappedText } from './mapped-text.ts';
import type { PlaceCode } from './rule-files.ts';

export interface ExpandedList {
  readonly name: string;
  readonly code: PlaceCode;
  readonly items: readonly MappedText[];
  isUsed: boolean;
}

/** What all lists together may hold once expanded: lists of lists of lists grow fast. */
const ITEMS_MAX = 1_000_000;
/** Characters of a condition with its lists. The server takes no longer ones. */
const CONDITION_CHARACTERS_MAX = 1024 * 1024;

const BLANKS = ' \t\n\r';
const DELIMITERS = `${BLANKS}(),=`;

/** An item that names a list defined before the last change of the list it is in stands for that list's items. */
export function expandLists(
  definitions: ReadonlyMap<string, ListDefinition>,
  diagnostics: Diagnostics,
): ExpandedList[] {
  const done = new Map<string, readonly MappedText[]>();
  const inProgress = new Set<string>();
  const used = new Set<string>();
  let itemCount = 0;
  const expand = (list: ListDefinition): readonly MappedText[] => {
    const known = done.get(list.name);
    if (known !== undefined) return known;
    inProgress.add(list.name);
    const items: MappedText[] = [];
    for (const item of list.items) {
      const inner = definitions.get(item.text);
      if (inner === undefined || inner.index >= list.visibility || inProgress.has(inner.name)) {
        items.push(item);
      } else {
        used.add(inner.name);
        for (const innerItem of expand(inner)) items.push(innerItem);
      }
      if (itemCount + items.length > ITEMS_MAX) {
        throw new RuleError(`list '${list.name}': the lists hold more than ${ITEMS_MAX} items`, list.code);
      }
    }
    itemCount += items.length;
    inProgress.delete(list.name);
    done.set(list.name, items);
    return items;
  };
  const expanded: ExpandedList[] = [];
  diagnostics.attempt(() => {
    for (const list of definitions.values()) {
      expanded.push({ name: list.name, code: list.code, items: expand(list), isUsed: false });
    }
  });
  for (const list of expanded) list.isUsed = used.has(list.name);
  return expanded;
}

/** The condition with the names of all lists replaced, one list after the other. Throws RuleError when it gets too long. */
export function replaceLists(condition: MappedText, lists: readonly ExpandedList[]): MappedText {
  let result = condition;
  for (const list of lists) {
    if (!result.text.includes(list.name)) continue;
    const replaced = replaceList(result, list);
    if (replaced === undefined) continue;
    list.isUsed = true;
    result = replaced;
    if (result.text.length > CONDITION_CHARACTERS_MAX) {
      const message = `with list '${list.name}' the condition is longer than ${CONDITION_CHARACTERS_MAX} characters`;
      throw new RuleError(message, condition.codeAt(0));
    }
  }
  return result;
}

/** Undefined when the list is not used. */
function replaceList(condition: MappedText, { name, items }: ExpandedList): MappedText | undefined {
  const { text } = condition;
  const parts: MappedText[] = [];
  let taken = 0;
  for (let at = text.indexOf(name); at >= 0; at = text.indexOf(name, at + 1)) {
    if (at < taken || !isDelimiter(text, at - 1) || !isDelimiter(text, at + name.length)) continue;
    let start = at;
    let end = at + name.length;
    while (start > taken && BLANKS.includes(text[start - 1] as string)) start--;
    while (end < text.length && BLANKS.includes(text[end] as string)) end++;
    // An empty list takes a comma beside it along.
    if (items.length === 0) {
      if (start > taken && text[start - 1] === ',') start--;
      else if (text[end] === ',') end++;
    }
    const blank = MappedText.at(' ', condition.codeAt(at));
    const comma = MappedText.at(', ', condition.codeAt(at));
    const values = items.flatMap((item, i) => (i === 0 ? [quoteItem(item)] : [comma, quoteItem(item)]));
    parts.push(condition.slice(taken, start), blank, ...values, blank);
    taken = end;
  }
  if (taken === 0) return undefined;
  return MappedText.concat([...parts, condition.slice(taken)]);
}

function isDelimiter(text: string, at: number): boolean {
  return at < 0 || at >= text.length || DELIMITERS.includes(text[at] as string);
}

/** Items that hold a blank are put in quotes, unless they bring their own. */
export function quoteItem(item: MappedText): MappedText {
  const { text } = item;
  if (!text.includes(' ') || text[0] === '"' || text[0] === "'") return item;
  const quote = MappedText.at('"', item.codeAt(0));
  return MappedText.concat([quote, item, quote]);
}
