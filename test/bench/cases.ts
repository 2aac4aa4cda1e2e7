/** The benchmark cases: what we run, and what we compare it with. */
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';

export interface BenchCommand {
  readonly name: string;
  readonly argv: readonly string[];
}

export interface BenchCase {
  readonly name: string;
  readonly description: string;
  /** Captures to repeat, unless one is given. */
  captures(): readonly string[];
  /** The first command is ours. */
  commands(capture: string): readonly BenchCommand[];
}

const ROOT = fileURLToPath(new URL('../../', import.meta.url));
const STRATA = [process.execPath, `${ROOT}client/cli/main.ts`];
/** The seven fields of the peers' figures; no evt.type, on which sysdig 0.29.3 fails for newer captures. */
const FORMAT = '*%evt.num %evt.rawtime %evt.cpu %proc.name %thread.tid %evt.dir %evt.args';
const hasSysdig = spawnSync('sysdig', ['--version']).status === 0;

function captures(): readonly string[] {
  return [
    `${ROOT}server/capture/bundled/quick-start.scap`,
    `${ROOT}../shared/captures/live-enter-exit-git.scap`,
  ];
}

function withPeer(ours: BenchCommand, peer: readonly string[]): readonly BenchCommand[] {
  return hasSysdig ? [ours, { name: `sysdig ${peer[0]}`, argv: ['sysdig', ...peer] }] : [ours];
}

export const CASES: readonly BenchCase[] = [
  {
    name: 'replay',
    description: 'text of 7 fields of every event: strata replay -p against sysdig -r -p',
    captures,
    commands: (file) =>
      withPeer({ name: 'strata replay -p', argv: [...STRATA, 'replay', file, '-p', FORMAT] }, [
        '-r',
        file,
        '-p',
        FORMAT,
      ]),
  },
  {
    name: 'replay-json',
    description: 'JSON of 7 fields of every event: strata replay --json against sysdig -j -r',
    captures,
    commands: (file) =>
      withPeer(
        {
          name: 'strata replay --json',
          argv: [
            ...STRATA,
            'replay',
            file,
            '--json',
            '--fields',
            'evt.num,evt.rawtime,evt.cpu,proc.name,thread.tid,evt.dir,evt.args',
          ],
        },
        ['-j', '-r', file, '-p', FORMAT],
      ),
  },
  {
    name: 'filter-never',
    description: 'a filter that never matches: decode, state and filter alone',
    captures,
    commands: (file) =>
      withPeer(
        {
          name: 'strata replay (no match)',
          argv: [...STRATA, 'replay', file, 'proc.name', '=', 'no-such-name'],
        },
        ['-r', file, 'proc.name=no-such-name'],
      ),
  },
];
