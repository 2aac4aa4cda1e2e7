/** The benchmark cases: what we run, and what we compare it with. */
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { ONE_RULE, ruleConditions } from '../helpers/rule-conditions.ts';

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

/** Conditions in one stream, told apart by name, against the same in one condition for a peer that has one only. */
function filterCase(name: string, description: string, conditions: readonly string[]): BenchCase {
  const together = conditions.map((condition) => `(${condition})`).join(' or ');
  return {
    name,
    description,
    // sysdig 0.29.3 fails on evt.type for captures newer than these.
    captures: () => [
      `${ROOT}../shared/captures/run_as_user_0_container.scap`,
      `${ROOT}../shared/captures/curl_google.scap`,
    ],
    commands: (file) =>
      withPeer(
        {
          name: `${conditions.length} filters`,
          argv: [process.execPath, `${ROOT}test/bench/filter-stream.ts`, file, ...conditions],
        },
        ['-r', file, '-p', '%evt.num', together],
      ),
  };
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
  filterCase('filter-one-rule', 'one rule of 7 clauses: a filter over gRPC against sysdig -r FILTER', [
    ONE_RULE,
  ]),
  filterCase(
    'filter-100-rules',
    '100 generated rules: 100 filters against one sysdig filter',
    ruleConditions(100),
  ),
  filterCase(
    'filter-rules-like',
    '93 generated rules: 93 filters against one sysdig filter',
    ruleConditions(93, 7),
  ),
];
