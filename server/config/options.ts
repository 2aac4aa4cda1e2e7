/**
 * Every option of the server: one row each. The rows make the command-line flags, the STRATA_* environment names, the
 * keys of the YAML file, `--help`, and docs/config.md.
 */

export type OptionValue = string | number | boolean | readonly string[];

export interface OptionRow {
  /** Flag name without dashes; also the YAML key. The environment name is STRATA_ + upper case with underscores. */
  readonly name: string;
  readonly short?: string | undefined;
  readonly type: 'string' | 'integer' | 'number' | 'boolean' | 'list';
  /** Word for the value in --help. */
  readonly placeholder?: string | undefined;
  readonly default: OptionValue | undefined;
  readonly description: string;
  /** Accepted words, for strings that are one of few. */
  readonly choices?: readonly string[] | undefined;
  readonly min?: number | undefined;
  readonly max?: number | undefined;
  /** For live capture: the commands that start a live server of their own take it, too. */
  readonly isLive?: true | undefined;
  /** Another environment name, asked after the option's own. */
  readonly alias?: string | undefined;
  /** What happens at the limit the option sets, and which counter shows it. */
  readonly atLimit?: string | undefined;
}

export const OPTION_ROWS = [
  {
    name: 'capture',
    type: 'string',
    placeholder: 'FILE',
    default: undefined,
    description: 'serve this .scap capture file (plain or gzip) instead of this node',
  },
  {
    name: 'capture-engine',
    type: 'string',
    placeholder: 'ENGINE',
    default: 'auto',
    choices: ['auto', 'ebpf', 'nodriver', 'savefile'],
    description:
      'where events come from: ebpf: live from the kernel; nodriver: no events, only the state read from /proc again and again; savefile: the file of --capture, or the bundled one; auto: savefile with --capture, else ebpf where the kernel and the privileges allow it, else nodriver',
  },
  {
    name: 'capture-speed',
    type: 'number',
    placeholder: 'FACTOR',
    default: 0,
    min: 0,
    description:
      "pace of the node's own pass over the capture: 1 is the pace it was recorded at, 0 as fast as possible",
  },
  {
    name: 'capture-wait-subscribers',
    type: 'integer',
    placeholder: 'N',
    default: 0,
    min: 0,
    max: 1024,
    description: "hold the node's own pass over the capture until N live subscriptions have joined",
  },
  {
    name: 'ring-bytes',
    type: 'integer',
    placeholder: 'BYTES',
    isLive: true,
    default: 8_388_608,
    min: 4096,
    max: 1_073_741_824,
    description: 'size of one ring between kernel and server, rounded up to a power of two',
    atLimit: 'the kernel drops the event and counts it; every subscription is told in a Gap',
  },
  {
    name: 'ring-count',
    type: 'integer',
    placeholder: 'N',
    isLive: true,
    default: 0,
    min: 0,
    max: 512,
    description: 'rings, shared by the cpus in turn; 0: one per cpu',
  },
  {
    name: 'reorder-window-us',
    type: 'integer',
    placeholder: 'US',
    isLive: true,
    default: 100,
    min: 0,
    max: 1_000_000,
    description: 'how long an event waits for older ones from other cpus, in microseconds',
  },
  {
    name: 'snaplen',
    type: 'integer',
    placeholder: 'BYTES',
    isLive: true,
    default: 80,
    min: 0,
    max: 65_000,
    description: 'bytes of the data read or written that an event carries (evt.buffer)',
    atLimit: 'the rest of the data is left out; evt.buflen tells its full length',
  },
  {
    name: 'args-bytes-max',
    type: 'integer',
    placeholder: 'BYTES',
    isLive: true,
    default: 4096,
    min: 64,
    max: 32_767,
    description: 'bytes kept of the arguments, and of the environment, of a process',
    atLimit: 'the rest is cut off',
  },
  {
    name: 'host-root',
    type: 'string',
    placeholder: 'PATH',
    isLive: true,
    default: undefined,
    alias: 'HOST_ROOT',
    description:
      "where the node's root file system is mounted, when the server runs in a container (environment also: HOST_ROOT)",
  },
  {
    name: 'capture-self',
    type: 'boolean',
    isLive: true,
    default: false,
    description: 'capture the server itself and the processes it starts, too',
  },
  {
    name: 'suppress-comm',
    type: 'list',
    placeholder: 'NAME',
    isLive: true,
    default: [],
    description:
      'never capture processes that execute under this name, nor what they start, repeatable (at most 16)',
  },
  {
    name: 'suppress-pid',
    type: 'list',
    placeholder: 'PID',
    isLive: true,
    default: [],
    description: 'never capture this process, nor what it starts, repeatable',
  },
  {
    name: 'suppress-cgroup',
    type: 'list',
    placeholder: 'PATH',
    isLive: true,
    default: [],
    description: 'never capture processes in this cgroup or below it, repeatable (at most 16)',
  },
  {
    name: 'page-faults',
    type: 'boolean',
    isLive: true,
    default: false,
    description: 'make page faults available as events',
  },
  {
    name: 'context-switches',
    type: 'boolean',
    isLive: true,
    default: false,
    description: 'make context switches available as events',
  },
  {
    name: 'collect-env',
    type: 'list',
    placeholder: 'NAME',
    isLive: true,
    default: [],
    description:
      'keep this environment variable of processes, repeatable; without any, environments are not even read',
  },
  {
    name: 'redact-args',
    type: 'list',
    placeholder: 'REGEX',
    isLive: true,
    default: [],
    description:
      'blot out (***) what this RE2 pattern matches in arguments and environment variables, or its groups when it has some, before anything else sees it, repeatable',
  },
  {
    name: 'drop-capabilities',
    type: 'boolean',
    placeholder: 'BOOL',
    isLive: true,
    default: true,
    description: 'give up the capabilities that are not needed once the probe is attached',
  },
  {
    name: 'nodriver-refresh-ms',
    type: 'integer',
    placeholder: 'MS',
    isLive: true,
    default: 5000,
    min: 100,
    max: 3_600_000,
    description: 'how often the state is read anew where there are no events (nodriver)',
  },
  {
    name: 'heal-budget',
    type: 'integer',
    placeholder: 'N',
    isLive: true,
    default: 100,
    min: 0,
    max: 100_000,
    description: 'look-ups per second of threads that events name but nobody introduced; 0: none',
    atLimit: 'the thread stays a placeholder and is looked up later (counter thread_placeholders)',
  },
  {
    name: 'listen',
    type: 'list',
    placeholder: 'ADDRESS',
    default: ['unix:/run/strata/strata.sock'],
    description:
      'address to serve on, repeatable: unix:PATH, or HOST:PORT on loopback with --insecure-loopback',
  },
  {
    name: 'insecure-loopback',
    type: 'boolean',
    default: false,
    description: 'allow plaintext TCP on loopback addresses',
  },
  {
    name: 'socket-mode',
    type: 'string',
    placeholder: 'OCTAL',
    default: '0660',
    description: 'permission bits of the Unix socket',
  },
  {
    name: 'node-name',
    type: 'string',
    placeholder: 'NAME',
    default: undefined,
    description: 'name of the node in answers (in Kubernetes its node name)',
  },
  {
    name: 'retain-events',
    type: 'integer',
    placeholder: 'N',
    default: 8192,
    min: 0,
    max: 1_048_576,
    description: 'events kept for ExtractFields and state look-ups as of an event; 0 turns it off',
    atLimit: 'the oldest event is forgotten; asking for it answers OUT_OF_RANGE',
  },
  {
    name: 'retain-bytes',
    type: 'integer',
    placeholder: 'BYTES',
    default: 16_777_216,
    min: 65_536,
    max: 1_073_741_824,
    description: 'bytes of event records kept',
    atLimit: 'the oldest events are forgotten',
  },
  {
    name: 'subscriptions-max',
    type: 'integer',
    placeholder: 'N',
    default: 256,
    min: 1,
    max: 65_536,
    description: 'event streams served at once',
    atLimit: 'a further StreamEvents answers RESOURCE_EXHAUSTED (counter subscriptions_refused)',
  },
  {
    name: 'replays-max',
    type: 'integer',
    placeholder: 'N',
    default: 16,
    min: 1,
    max: 256,
    description: 'private replays of the capture at once (one inspector thread each)',
    atLimit: 'a further StreamEvents from the beginning answers RESOURCE_EXHAUSTED (counter replays_refused)',
  },
  {
    name: 'backlog-bytes-max',
    type: 'integer',
    placeholder: 'BYTES',
    default: 8_388_608,
    min: 65_536,
    max: 1_073_741_824,
    description: 'largest backlog a subscription may ask for, and its default',
    atLimit: "the subscription's overflow policy applies; every lost event is told in a Gap",
  },
  {
    name: 'threads-max',
    type: 'integer',
    placeholder: 'N',
    default: 262_144,
    min: 16,
    description: 'rows of the thread table',
    atLimit: 'a new thread is refused and counted; its events carry no process fields',
  },
  {
    name: 'fds-per-process-max',
    type: 'integer',
    placeholder: 'N',
    default: 65_536,
    min: 4,
    description: 'fds kept per process',
    atLimit: 'a new fd is refused and counted; its events carry no fd name',
  },
  {
    name: 'containers-max',
    type: 'integer',
    placeholder: 'N',
    default: 16_384,
    min: 1,
    description: 'rows of the container table',
    atLimit: 'a new container is refused and counted; its events carry the container id only',
  },
  {
    name: 'users-max',
    type: 'integer',
    placeholder: 'N',
    default: 65_536,
    min: 1,
    description: 'rows of the user table, and of the group table, over the host and all containers',
    atLimit: 'a new row is refused and counted; its events carry the numeric id only',
  },
  {
    name: 'block-bytes-max',
    type: 'integer',
    placeholder: 'BYTES',
    default: 67_108_864,
    min: 65_536,
    max: 1_073_741_824,
    description: 'largest block accepted from a capture file',
    atLimit: 'the capture ends with an error that names the byte offset',
  },
  {
    name: 'log-level',
    type: 'string',
    placeholder: 'LEVEL',
    default: 'info',
    choices: ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'],
    description: 'least severe log line written (JSON lines on standard error)',
  },
] as const satisfies readonly OptionRow[];
