/** Picks a container's mount by number or by a glob over one of its paths. */
import type { ContainerMount, ContainerRow } from '../state/container-table.ts';
import type { FieldArgument } from './field.ts';

export type MountPicker = (container: ContainerRow) => ContainerMount | undefined;

/** `source:destination:mode:rdwr:propagation` */
export function mountText(mount: ContainerMount): string {
  return `${mount.source}:${mount.destination}:${mount.mode}:${mount.rdwr}:${mount.propagation}`;
}

/** Picks by index, else the first mount whose `member` matches the glob. */
export function mountPicker(
  argument: FieldArgument | undefined,
  member: 'source' | 'destination',
): MountPicker {
  const index = argument?.index;
  if (index !== undefined) return (container) => container.mounts[index];
  const matches = globMatcher(argument?.text ?? '');
  return (container) => container.mounts.find((mount) => matches(mount[member]));
}

/** Shell pattern over a whole text: `*` and `?` match any character, `/` included; `[a-z]`, `[!a]`, `\` quotes. */
export function globMatcher(pattern: string): (text: string) => boolean {
  let source = '';
  for (let i = 0; i < pattern.length; i++) {
    const character = pattern.charAt(i);
    if (character === '*') source += '.*';
    else if (character === '?') source += '.';
    else if (character === '\\' && i + 1 < pattern.length) source += quoteForRegExp(pattern.charAt(++i));
    else if (character === '[' && pattern.indexOf(']', i + 2) > 0) {
      const end = pattern.indexOf(']', i + 2);
      const body = pattern
        .slice(i + 1, end)
        .replaceAll('\\', '\\\\')
        .replace(/^[!^]/, '^')
        .replaceAll('[', '\\[');
      source += `[${body}]`;
      i = end;
    } else source += quoteForRegExp(character);
  }
  const expression = compile(source) ?? new RegExp(`^${quoteForRegExp(pattern)}$`, 's');
  return (text) => expression.test(text);
}

/** undefined for a bracket that is no set, such as `[z-a]`: the pattern then stands for itself. */
function compile(source: string): RegExp | undefined {
  try {
    return new RegExp(`^${source}$`, 's');
  } catch {
    return undefined;
  }
}

function quoteForRegExp(text: string): string {
  return text.replace(/[\\^$.*+?()[\]{}|/-]/g, '\\$&');
}
