/** Events of processes in containers, as delivery tests need them. */
import { buildEventBytes } from './event-builder.ts';
import type { ScriptEvent } from './query-fixture.ts';
import { cgroupsOf, containerId } from './tracker-bench.ts';

/** The program `name` takes over the process, which is (or now comes to be) in the container (the host: ''). */
export function exec(tid: number, container: string, name: string): ScriptEvent {
  return {
    code: 'PPME_SYSCALL_EXECVE_19_X',
    tid,
    params: {
      res: 0,
      exe: `/bin/${name}`,
      args: Buffer.from('-x\0'),
      tid,
      pid: tid,
      ptid: 1,
      cwd: '/',
      comm: name,
      cgroups: Buffer.from(cgroupsOf(container === '' ? '' : containerId(container)), 'latin1'),
      uid: 0,
      gid: 0,
      vpgid: tid,
      pgid: tid,
      trusted_exepath: `/bin/${name}`,
    },
  };
}

export function open(tid: number, fd: number, path: string): ScriptEvent {
  return {
    code: 'PPME_SYSCALL_OPENAT_2_X',
    tid,
    params: { fd, dirfd: -100, name: path, flags: 1, mode: 0, dev: 0, ino: 0 },
  };
}

export function close(tid: number, fd: number): ScriptEvent {
  return { code: 'PPME_SYSCALL_CLOSE_X', tid, params: { res: 0, fd } };
}

export function write(tid: number, fd: number, data = 'x'): ScriptEvent {
  return {
    code: 'PPME_SYSCALL_WRITE_X',
    tid,
    params: { res: data.length, data: Buffer.from(data), fd, size: data.length },
  };
}

export function setuid(tid: number, uid: number): ScriptEvent {
  return { code: 'PPME_SYSCALL_SETUID_X', tid, params: { res: 0, uid } };
}

/** Bytes that a write event of as many bytes of data takes while it is held. */
export function heldWriteBytes(dataBytes: number): number {
  return buildEventBytes('PPME_SYSCALL_WRITE_X', write(1, 1, 'x'.repeat(dataBytes)).params).length + 256;
}
