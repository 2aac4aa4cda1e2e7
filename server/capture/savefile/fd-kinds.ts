/** What a capture file holds of each kind of fd. Kinds are numbered as in the file. */

/** What follows an fd's type. */
export type FdPayload =
  | 'none'
  | 'name'
  | 'file'
  | 'inet4'
  | 'inet6'
  | 'inet4-server'
  | 'inet6-server'
  | 'unix';

export const FD_KIND_UNSUPPORTED = 10;

/** Indexed by kind. */
const PAYLOADS: readonly FdPayload[] = [
  'none', // unknown
  'name', // file, as old writers have it
  'name', // directory
  'inet4',
  'inet6',
  'inet4-server',
  'inet6-server',
  'name', // fifo
  'unix',
  'name', // event
  'name', // unsupported
  'name', // signalfd
  'name', // eventpoll
  'name', // inotify
  'name', // timerfd
  'name', // netlink
  'file', // with open flags and device
  'name', // bpf
  'name', // userfaultfd
  'name', // io_uring
  'name', // memfd
  'name', // pidfd
];

/** undefined for a kind of a newer writer. */
export function fdPayload(kind: number): FdPayload | undefined {
  return PAYLOADS[kind];
}
