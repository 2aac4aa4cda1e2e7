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
  /** What happens at the limit the option sets, and which counter shows it. */
  readonly atLimit?: string | undefined;
}

export const OPTION_ROWS = [
  {
    name: 'capture',
    type: 'string',
    placeholder: 'FILE',
    default: undefined,
    description: 'serve this .scap capture file (plain or gzip)',
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
