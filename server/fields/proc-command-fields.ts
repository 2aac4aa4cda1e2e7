/** Rows of the proc class about programs, command lines and environments. */
import type { StateView } from '../state/os-state.ts';
import type { ThreadInfo } from '../state/thread-info.ts';
import { findAncestor, findMain, findParent, visitAncestors } from './ancestors.ts';
import type { Extractor, FieldArgument, FieldRow } from './field.ts';
import { rowsOf } from './field-row.ts';
import {
  ANCESTOR_OPTIONS,
  bindAncestors,
  bindAnyAncestor,
  ofParent,
  ofThread,
  UNBOUND,
} from './proc-shape.ts';
import { argsText, cmdlineText, envOf, envText, envValue, exelineText } from './proc-text.ts';

const row = rowsOf('proc');

/** How far up `proc.aenv[NAME]` looks for a variable. */
const ENV_LEVELS_MAX = 20;
/** Working directory of a thread whose process is not known. */
const CWD_UNKNOWN = './';

const exe = (thread: ThreadInfo) => thread.exe;
const exepath = (thread: ThreadInfo) => thread.exepath;
const comm = (thread: ThreadInfo) => thread.comm;

function ancestors(name: string, description: string, text: (thread: ThreadInfo) => string): FieldRow {
  const bind = bindAncestors(text);
  const bindFilter = bindAnyAncestor(text, bind);
  return row(name, 'string', 'NA', description, UNBOUND, { ...ANCESTOR_OPTIONS, bind, bindFilter });
}

function text(name: string, description: string, extract: Extractor): FieldRow {
  return row(name, 'string', 'NA', description, extract);
}

export const PROC_COMMAND_FIELDS: readonly FieldRow[] = [
  text('proc.exe', 'argv[0]', ofThread(exe)),
  text('proc.pexe', 'argv[0] of the parent', ofParent(exe)),
  ancestors('proc.aexe', 'argv[0] of the Nth ancestor; without index of all ancestors', exe),
  text('proc.exepath', 'resolved path of the executable', ofThread(exepath)),
  text('proc.pexepath', 'executable path of the parent', ofParent(exepath)),
  ancestors('proc.aexepath', 'executable path of the Nth ancestor; without index of all ancestors', exepath),
  text('proc.name', 'kernel comm name', ofThread(comm)),
  text('proc.pname', 'comm of the parent', ofParent(comm)),
  ancestors('proc.aname', 'comm of the Nth ancestor; without index of all ancestors', comm),
  row('proc.args', 'string', 'NA', 'arguments without argv[0]; index picks one', UNBOUND, {
    argument: 'index optional',
    bind: bindArgs,
  }),
  row(
    'proc.aargs',
    'string',
    'NA',
    'arguments of the Nth ancestor; without index of all ancestors',
    UNBOUND,
    {
      argument: 'index optional',
      bind: bindAncestors(argsText),
    },
  ),
  text('proc.cmdline', 'comm followed by the arguments', ofThread(cmdlineText)),
  text('proc.pcmdline', 'command line of the parent', ofParent(cmdlineText)),
  ancestors('proc.acmdline', 'command line of the Nth ancestor; without index of all ancestors', cmdlineText),
  row(
    'proc.cmdnargs',
    'uint64',
    'DEC',
    'how many arguments',
    ofThread((thread) => thread.args.length),
  ),
  row(
    'proc.cmdlenargs',
    'uint64',
    'DEC',
    'total length of the arguments without spaces between them',
    ofThread(argsLength),
  ),
  text('proc.exeline', 'argv[0] followed by the arguments', ofThread(exelineText)),
  row('proc.env', 'string', 'NA', 'environment; key or index picks one variable', UNBOUND, {
    argument: 'key optional',
    bind: bindEnv,
  }),
  row(
    'proc.aenv',
    'string',
    'NA',
    'environment of ancestors; index picks one ancestor, a variable name the nearest that sets it',
    UNBOUND,
    {
      ...ANCESTOR_OPTIONS,
      argument: 'index|key optional',
      bind: bindAncestorEnv,
      bindFilter: bindAnyAncestor((thread, state) => envText(state, thread), bindAncestorEnv),
    },
  ),
  text(
    'proc.cwd',
    'current directory',
    ofThread((thread, event) => findMain(event.state, thread)?.cwd ?? CWD_UNKNOWN),
  ),
];

function argsLength(thread: ThreadInfo): number {
  let length = 0;
  for (const item of thread.args) length += item.length;
  return length;
}

function bindArgs(argument: FieldArgument | undefined): Extractor {
  const index = argument?.index;
  return index === undefined ? ofThread(argsText) : ofThread((thread) => thread.args[index] ?? '');
}

function bindEnv(argument: FieldArgument | undefined): Extractor {
  if (argument === undefined) return ofThread((thread, event) => envText(event.state, thread));
  const { index, text: name } = argument;
  if (index !== undefined) return ofThread((thread, event) => envOf(event.state, thread)[index] ?? '');
  return ofThread((thread, event) => envValue(event.state, thread, name));
}

function bindAncestorEnv(argument: FieldArgument | undefined): Extractor {
  const level = argument?.index ?? 0;
  if (argument !== undefined && argument.index === undefined) {
    const name = argument.text;
    return ofThread((thread, event) => nearestEnvValue(event.state, thread, name));
  }
  // Without a level the own environment stands in: all of them would be a text of many pages.
  if (level === 0) return ofThread((thread, event) => envText(event.state, thread));
  return ofThread((thread, event) => {
    if (findMain(event.state, thread) === undefined) return '';
    const ancestor = findAncestor(event.state, thread, level);
    return ancestor === undefined ? undefined : envText(event.state, ancestor);
  });
}

function nearestEnvValue(state: StateView, thread: ThreadInfo, name: string): string {
  let ancestor = findMain(state, thread);
  for (let i = 0; i < ENV_LEVELS_MAX && ancestor !== undefined; i++) {
    ancestor = findParent(state, ancestor);
    const value = ancestor === undefined ? '' : envValue(state, ancestor, name);
    if (value !== '') return value;
  }
  return '';
}

/** Pid of the oldest shell in the line of the process, itself included. */
export function loginShellPid(thread: ThreadInfo, state: StateView): number | undefined {
  const main = findMain(state, thread);
  if (main === undefined) return undefined;
  let pid = main.comm.endsWith('sh') ? main.pid : undefined;
  visitAncestors(state, main, (ancestor) => {
    if (ancestor.comm.endsWith('sh')) pid = ancestor.pid;
    return true;
  });
  return pid;
}
