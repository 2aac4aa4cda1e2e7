/**
 * The older captures, filtered by sysdig 0.29.3 and by us. It numbers enter and exit events apart, where we show one event
 * at the time of the exit: events are told by time and thread, and those that only one of the two shows are left out.
 * Conditions are on fields that mean the same in both; where the two are known to disagree, a reason is given.
 */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { describe, it } from 'node:test';
import { promisify } from 'node:util';
import { compileFilter } from '../../server/filter/filter.ts';
import { capturePath, hasGolden } from '../helpers/golden.ts';
import { replay } from '../helpers/replay.ts';

const run = promisify(execFile);

const CAPTURES = [
  'connect_localhost',
  'curl_google',
  'ping_sendto',
  'run_as_user_0_container',
  'single_ipv6_conn',
  'test_ipv6_client',
];

/** Each holds for some event of some capture. */
const CONDITIONS: readonly string[] = [
  'evt.type = open',
  'evt.type in (open, openat, close, connect)',
  'evt.type != switch and evt.type != procexit',
  'evt.cpu = 0',
  'evt.cpu > 0',
  'evt.failed = true',
  'evt.res = SUCCESS',
  'evt.res = ENOENT',
  'evt.rawres >= 0 and evt.type = open',
  'evt.rawres < 0',
  'evt.arg.res contains E',
  'evt.type = mmap and evt.arg.res exists',
  'proc.name = curl',
  'proc.name != curl',
  'not proc.name = curl',
  'proc.name in (curl, nginx, gdb, ping, systemd)',
  'proc.name startswith sys',
  'proc.name endswith x',
  'proc.name contains in',
  'proc.name icontains IN',
  'proc.name glob "*[gx]"',
  'proc.exe startswith /usr and proc.pid > 1',
  'proc.exe endswith nginx or proc.exe endswith curl',
  'proc.args contains -',
  'proc.args = ""',
  'proc.cmdline contains google',
  'proc.pname = bash',
  'proc.aname[2] = sshd',
  'proc.cwd startswith /home',
  'proc.cwd pmatch (/home, /var/spool)',
  'proc.pid = 1 or proc.ppid = 1',
  'proc.ppid in (1, 1184)',
  'proc.sid < 2000',
  'proc.vpid > 1000 and proc.vpid <= 20000',
  'proc.env contains PATH',
  'proc.nchilds = 0',
  'thread.tid >= 1500',
  'thread.ismain = true',
  'user.uid = 0',
  'user.uid != 0',
  'user.name = root',
  'user.homedir startswith /root',
  'group.gid = 33',
  'fd.sip = 127.0.0.1 and evt.type = connect',
  'fd.sip exists and evt.type in (connect, sendmsg, sendto)',
  'fd.sport = 53 and evt.type in (connect, sendmsg, sendto)',
  'fd.sport in (80, 53) and evt.type = connect',
  'fd.cport > 1024 and evt.type = connect',
  'fd.snet = 127.0.0.0/8 and evt.type = connect',
  'fd.net in (10.0.0.0/8, 127.0.0.0/8) and evt.type = connect',
  'fd.l4proto = udp and evt.type = connect',
  'fd.typechar = 6 and evt.type in (connect, sendmsg)',
  'fd.name startswith /etc and evt.type = open',
  'fd.name contains lib and not fd.name endswith .so and evt.type in (open, openat)',
  'fd.name pmatch (/etc, /lib) and evt.type = open',
  'fd.directory = /etc and evt.type = open',
  'fd.filename glob "lib*.so.?" and evt.type = open',
  'fd.name in ("/etc/ld.so.cache", \'/dev/null\') and evt.type = open',
  '(proc.name = curl and user.uid = 1000) or (proc.name = nginx and not user.uid = 0)',
];

/** Conditions that the two disagree about, and why: the golden files say what ours do. */
const DIFFERENT: Readonly<Record<string, string>> = {
  'fd.sport = 53 and evt.type in (connect, sendmsg, sendto)':
    'it keeps the tuple that a socket had before a connect',
  'fd.sport in (80, 53) and evt.type = connect': 'it keeps the tuple that a socket had before a connect',
  'evt.res = SUCCESS': 'it shows no result of calls without an event type of their own, such as geteuid',
  'evt.arg.res contains E': 'it shows the address that mmap and brk return in hex, today in decimal',
  'proc.pname = bash': 'it does not find some parents that the capture begins with',
  'proc.vpid > 1000 and proc.vpid <= 20000': 'it shows none outside of PID namespaces',
  'proc.nchilds = 0': 'it does not count children that were there before the capture',
  'thread.ismain = true': 'it shows placeholders of unknown threads as main threads',
  'fd.sip exists and evt.type in (connect, sendmsg, sendto)': 'it does not take addresses from a sendmsg',
};

async function whySkipped(): Promise<string | false> {
  if (!hasGolden() || !CAPTURES.every((name) => existsSync(capturePath(name)))) {
    return 'the captures are not beside the repository';
  }
  try {
    const { stdout } = await run('sysdig', ['--version']);
    return stdout.includes('0.29.3') ? false : `sysdig 0.29.3 expected, found ${stdout.trim()}`;
  } catch {
    return 'SYSDIG IS NOT INSTALLED: filters were not compared with it';
  }
}

/** The events that sysdig shows, as `time thread`. */
async function sysdigEvents(path: string, condition: string): Promise<Set<string>> {
  const args = ['-r', path, '-p', '%evt.rawtime %thread.tid', ...(condition === '' ? [] : [condition])];
  const { stdout } = await run('sysdig', args, { encoding: 'latin1', maxBuffer: 1 << 28 });
  return new Set(stdout.split('\n').filter((line) => line !== ''));
}

/** The events that each condition matches, as `time thread`; an empty condition matches all. */
async function ourEvents(path: string, conditions: readonly string[]): Promise<Set<string>[]> {
  const filters = conditions.map((condition) => ({
    filter: compileFilter(condition),
    events: new Set<string>(),
  }));
  await replay(path, (event) => {
    const key = `${event.record.timestampNs()} ${event.record.tid}`;
    for (const { filter, events } of filters) {
      if (filter.eventTypes[event.record.type] === 1 && filter.matches(event)) events.add(key);
    }
  });
  return filters.map(({ events }) => events);
}

const skip = await whySkipped();
if (skip !== false) console.log(`filter-sysdig: skipped: ${skip}`);

describe('conditions that sysdig evaluates too', { skip, timeout: 300_000 }, () => {
  const differing = new Set<string>();
  const matched = new Map(CONDITIONS.map((condition) => [condition, 0]));

  for (const name of CAPTURES) {
    it(`${name}: the same events match`, async (t) => {
      const path = capturePath(name);
      const [ours = new Set<string>(), ...results] = await ourEvents(path, ['', ...CONDITIONS]);
      const theirs = await sysdigEvents(path, '');
      const shared = [...ours].filter((key) => theirs.has(key));
      t.diagnostic(`${shared.length} events of both, ${ours.size} ours, ${theirs.size} of sysdig`);
      const differences: string[] = [];
      for (const [i, condition] of CONDITIONS.entries()) {
        const expected = await sysdigEvents(path, condition);
        const actual = results[i] as Set<string>;
        matched.set(condition, (matched.get(condition) ?? 0) + actual.size);
        const missing = shared.filter((key) => expected.has(key) && !actual.has(key));
        const extra = shared.filter((key) => actual.has(key) && !expected.has(key));
        if (missing.length + extra.length === 0) continue;
        differing.add(condition);
        if (DIFFERENT[condition] !== undefined) continue;
        differences.push(
          `${condition}: ${missing.length} missing (${missing[0]}), ${extra.length} too many (${extra[0]})`,
        );
      }
      assert.equal(differences.length, 0, `\n${differences.join('\n')}`);
    });
  }

  it('every condition matches something', () => {
    const silent = [...matched].filter(([, count]) => count === 0).map(([condition]) => condition);
    assert.deepEqual(silent, []);
  });

  it('every listed difference is one', () => {
    const stale = Object.keys(DIFFERENT).filter((condition) => !differing.has(condition));
    assert.deepEqual(stale, []);
  });
});
