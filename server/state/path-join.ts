/** Joins and normalises paths as a state engine sees them: by text alone, without asking the file system. */

/** Longest path kept, as the kernel's own; longer ones, which only relative steps can reach, become `PATH_TOO_LONG`. */
export const PATH_BYTES_MAX = 4096;
export const PATH_TOO_LONG = '/PATH_TOO_LONG';

/**
 * `base` and `path` joined (`path` alone when it is absolute), with `.`, `..` and doubled slashes resolved and without a
 * trailing slash. Binary strings.
 */
export function joinPath(base: string, path: string): string {
  const isAbsolutePath = path.charCodeAt(0) === 47;
  const joined = isAbsolutePath || base === '' ? path : withSlash(base) + path;
  const result = isNormal(joined) ? joined : normalize(joined);
  return result.length > PATH_BYTES_MAX ? PATH_TOO_LONG : result;
}

function withSlash(base: string): string {
  return base.endsWith('/') ? base : `${base}/`;
}

/** Whether nothing is to resolve: no empty, `.` or `..` part and no trailing slash. Most paths are like that. */
function isNormal(path: string): boolean {
  const length = path.length;
  if (length === 0) return true;
  let partStart = path.charCodeAt(0) === 47 ? 1 : 0;
  if (partStart === length) return true;
  for (let i = partStart; i <= length; i++) {
    if (i < length && path.charCodeAt(i) !== 47) continue;
    const partLength = i - partStart;
    if (partLength === 0) return false;
    if (partLength <= 2 && path.charCodeAt(partStart) === 46) {
      if (partLength === 1 || path.charCodeAt(partStart + 1) === 46) return false;
    }
    partStart = i + 1;
  }
  return true;
}

function normalize(path: string): string {
  const isAbsolute = path.startsWith('/');
  const parts: string[] = [];
  for (const part of path.split('/')) {
    if (part === '' || part === '.') continue;
    if (part !== '..') {
      parts.push(part);
      continue;
    }
    const last = parts.at(-1);
    if (last !== undefined && last !== '..') parts.pop();
    else if (!isAbsolute) parts.push(part);
  }
  const text = parts.join('/');
  if (isAbsolute) return `/${text}`;
  return text === '' ? '.' : text;
}
