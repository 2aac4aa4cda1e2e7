/** Which environment variables are kept: none unless asked for, as they pass secrets. */

/** Names kept; a name that ends in `*` stands for all that start so. */
export interface EnvironmentChoice {
  readonly allow: readonly string[];
}

/** The allowed items of a NUL-separated run of `NAME=value`, each with its NUL. */
export function filterEnvironment(run: string, choice: EnvironmentChoice | undefined): string {
  if (choice === undefined || run === '') return '';
  return run
    .split('\0')
    .filter((item) => item !== '' && isAllowed(item, choice))
    .map((item) => `${item}\0`)
    .join('');
}

function isAllowed(item: string, choice: EnvironmentChoice): boolean {
  const equals = item.indexOf('=');
  const name = equals < 0 ? item : item.slice(0, equals);
  return choice.allow.some((allowed) =>
    allowed.endsWith('*') ? name.startsWith(allowed.slice(0, -1)) : name === allowed,
  );
}
