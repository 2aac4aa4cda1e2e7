/** Why a file cannot be read or written, without Node's call names. */
export function describeFileError(error: unknown): string {
  const code = (error as NodeJS.ErrnoException).code;
  const known: Readonly<Record<string, string>> = {
    ENOENT: 'no such file',
    EACCES: 'permission denied',
    EISDIR: 'is a directory',
    ENOSPC: 'no space left on the device',
    ENOTDIR: 'a part of the path is not a directory',
  };
  return known[code ?? ''] ?? (error instanceof Error ? error.message : String(error));
}
