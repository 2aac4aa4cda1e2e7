/** Who a thread is: user, group, capabilities, session; and the users and groups a capture or container brings. */
import {
  PPME_GROUP_ADDED_E,
  PPME_GROUP_DELETED_E,
  PPME_SYSCALL_CAPSET_X,
  PPME_SYSCALL_PRCTL_X,
  PPME_SYSCALL_SETGID_X,
  PPME_SYSCALL_SETNS_X,
  PPME_SYSCALL_SETREGID_X,
  PPME_SYSCALL_SETRESGID_X,
  PPME_SYSCALL_SETRESUID_X,
  PPME_SYSCALL_SETREUID_X,
  PPME_SYSCALL_SETSID_X,
  PPME_SYSCALL_SETUID_X,
  PPME_SYSCALL_UNSHARE_X,
  PPME_USER_ADDED_E,
  PPME_USER_DELETED_E,
} from '../event/event-types.ts';
import { CL_CLONE_NEWUSER, FLAG_DATA } from '../event/flag-tables.ts';
import { u64 } from '../event/u64.ts';
import type { InspectedEvent } from '../state/inspected-event.ts';
import type { EventHandler, HandlerRow, ParserContext } from './parser-context.ts';

const PR_SET_CHILD_SUBREAPER = 36;
const PR_GET_CHILD_SUBREAPER = 37;

/** Every capability there is: what a process has in a user namespace it made. */
const ALL_CAPABILITIES = allCapabilities();

export const IDENTITY_HANDLERS: readonly HandlerRow[] = [
  [PPME_SYSCALL_SETUID_X, userSetter(1)],
  [PPME_SYSCALL_SETREUID_X, userSetter(2)],
  [PPME_SYSCALL_SETRESUID_X, userSetter(2)],
  [PPME_SYSCALL_SETGID_X, groupSetter(1)],
  [PPME_SYSCALL_SETREGID_X, groupSetter(2)],
  [PPME_SYSCALL_SETRESGID_X, groupSetter(2)],
  [PPME_SYSCALL_CAPSET_X, parseCapset],
  [PPME_SYSCALL_UNSHARE_X, namespaceChanger(1)],
  [PPME_SYSCALL_SETNS_X, namespaceChanger(2)],
  [PPME_SYSCALL_SETSID_X, parseSetsid],
  [PPME_SYSCALL_PRCTL_X, parsePrctl],
  [PPME_USER_ADDED_E, parseUserAdded],
  [PPME_USER_DELETED_E, parseUserDeleted],
  [PPME_GROUP_ADDED_E, parseGroupAdded],
  [PPME_GROUP_DELETED_E, parseGroupDeleted],
];

/** Takes the effective uid from a parameter. */
function userSetter(param: number): EventHandler {
  return (context, event) => {
    const { record, thread } = event;
    if (thread === undefined || record.number(0) !== 0 || record.isEmpty(param)) return;
    context.threads.touch(thread);
    thread.uid = record.unsignedNumber(param);
  };
}

function groupSetter(param: number): EventHandler {
  return (context, event) => {
    const { record, thread } = event;
    if (thread === undefined || record.number(0) !== 0 || record.isEmpty(param)) return;
    context.threads.touch(thread);
    thread.gid = record.unsignedNumber(param);
  };
}

function parseCapset(context: ParserContext, event: InspectedEvent): void {
  const { record, thread } = event;
  if (thread === undefined || record.number(0) < 0) return;
  context.threads.touch(thread);
  thread.capInheritable = record.unsigned(1);
  thread.capPermitted = record.unsigned(2);
  thread.capEffective = record.unsigned(3);
}

function namespaceChanger(flagsParam: number): EventHandler {
  return (context, event) => {
    const { record, thread } = event;
    if (thread === undefined || record.number(0) < 0) return;
    if ((record.unsignedNumber(flagsParam) & CL_CLONE_NEWUSER) === 0) return;
    context.threads.touch(thread);
    thread.capInheritable = ALL_CAPABILITIES;
    thread.capPermitted = ALL_CAPABILITIES;
    thread.capEffective = ALL_CAPABILITIES;
  };
}

function allCapabilities(): number | bigint {
  let bits = 0n;
  for (const bit of Object.values(FLAG_DATA.capabilities)) bits |= BigInt(bit);
  return u64(Number(bits >> 32n), Number(bits & 0xffffffffn));
}

function parseSetsid(context: ParserContext, event: InspectedEvent): void {
  const { record, thread } = event;
  const sid = record.number(0);
  if (thread === undefined || sid < 0) return;
  context.threads.touch(thread);
  thread.sid = sid;
}

/** Only the subreaper attribute is state: it decides who gets orphans. */
function parsePrctl(_context: ParserContext, event: InspectedEvent): void {
  const { record, thread } = event;
  if (record.number(0) < 0 || thread?.threadGroup === undefined) return;
  const option = record.unsignedNumber(1);
  if (option !== PR_SET_CHILD_SUBREAPER && option !== PR_GET_CHILD_SUBREAPER) return;
  thread.threadGroup.isReaper = record.number(3) !== 0;
}

/** Users of a container are kept under the id its threads carry, which may be longer than the one in the event. */
function containerKey({ state: { containers } }: ParserContext, id: string): string {
  if (id === '' || containers.find(id) !== undefined) return id;
  return containers.findKeyByShortId(id) ?? id;
}

function parseUserAdded(context: ParserContext, event: InspectedEvent): void {
  const { record } = event;
  const uid = record.unsignedNumber(0);
  context.state.users.set(containerKey(context, record.text(5)), uid, {
    uid,
    gid: record.unsignedNumber(1),
    name: record.text(2),
    homedir: record.text(3),
    shell: record.text(4),
  });
}

function parseUserDeleted(context: ParserContext, event: InspectedEvent): void {
  const { record } = event;
  context.state.users.delete(containerKey(context, record.text(5)), record.unsignedNumber(0));
}

function parseGroupAdded(context: ParserContext, event: InspectedEvent): void {
  const { record } = event;
  const gid = record.unsignedNumber(0);
  context.state.groups.set(containerKey(context, record.text(2)), gid, { gid, name: record.text(1) });
}

function parseGroupDeleted(context: ParserContext, event: InspectedEvent): void {
  const { record } = event;
  context.state.groups.delete(containerKey(context, record.text(2)), record.unsignedNumber(0));
}
