/**
 * runc for machines that lack CAP_SYS_RESOURCE: runtimes ask for it in privileged containers, and runc refuses what it cannot
 * give. The wrapper takes it out of the bundle first; what the runtime's API says of the container stays as asked.
 */
import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';

const CAP_SYS_RESOURCE = 24n;

export function hasSysResource(): boolean {
  const bounding = /^CapBnd:\s*(\w+)/m.exec(readFileSync('/proc/self/status', 'latin1'))?.[1] ?? '0';
  return ((BigInt(`0x${bounding}`) >> CAP_SYS_RESOURCE) & 1n) === 1n;
}

/** Path of an OCI runtime that works here: runc itself where nothing is missing. */
export function ociRuntime(path: string): string {
  const runc = execFileSync('sh', ['-c', 'command -v runc'], { encoding: 'utf8' }).trim();
  if (hasSysResource()) return runc;
  const script = `#!/bin/sh
bundle=
previous=
for argument in "$@"; do
  case $previous in --bundle | -b) bundle=$argument ;; esac
  case $argument in --bundle=*) bundle=\${argument#--bundle=} ;; esac
  previous=$argument
done
if [ -f "$bundle/config.json" ]; then
  sed -i 's/"CAP_SYS_RESOURCE",//g; s/,"CAP_SYS_RESOURCE"//g' "$bundle/config.json"
fi
exec ${runc} "$@"
`;
  writeFileSync(path, script, { mode: 0o755 });
  return path;
}
