/** From the options of the server to what live engines take. */
import { RE2JS } from 're2js';
import type { LiveOptions } from './capture/live-options.ts';
import { type Config, ConfigError } from './config/config.ts';
import type { RuntimeOptions } from './container/runtime/hub-types.ts';
import type { KubernetesOptions } from './kubernetes-layer.ts';

/** As many names and cgroups as the probe compares. */
const SUPPRESSED_MAX = 16;
/** The kernel's names of processes, without the NUL at the end. */
const COMM_CHARS_MAX = 15;

/** Throws ConfigError for values that no engine can work with. */
export function liveOptions(config: Config): LiveOptions {
  for (const pattern of config['redact-args']) checkPattern(pattern);
  for (const comm of config['suppress-comm']) {
    if (Buffer.byteLength(comm) > COMM_CHARS_MAX) {
      throw new ConfigError(`--suppress-comm ${comm}: the kernel cuts names to ${COMM_CHARS_MAX} bytes`);
    }
  }
  for (const name of ['suppress-comm', 'suppress-cgroup'] as const) {
    if (config[name].length > SUPPRESSED_MAX) throw new ConfigError(`--${name}: at most ${SUPPRESSED_MAX}`);
  }
  return {
    hostRoot: rootOf(config['host-root'] ?? ''),
    ringBytes: powerOfTwo(config['ring-bytes']),
    ringCount: config['ring-count'],
    reorderWindowUs: config['reorder-window-us'],
    snaplen: config.snaplen,
    argsBytesMax: config['args-bytes-max'],
    captureSelf: config['capture-self'],
    suppressComms: config['suppress-comm'],
    suppressPids: config['suppress-pid'].map(checkPid),
    suppressCgroups: config['suppress-cgroup'],
    pageFaults: config['page-faults'],
    contextSwitches: config['context-switches'],
    collectEnv: config['collect-env'],
    redactArgs: config['redact-args'],
    dropCapabilities: config['drop-capabilities'],
    nodriverRefreshMs: config['nodriver-refresh-ms'],
    healBudget: config['heal-budget'],
    foreignSocket: '',
  };
}

/** Throws ConfigError for sockets that are named beside `none`. */
export function runtimeOptions(config: Config): RuntimeOptions {
  return {
    hostRoot: rootOf(config['host-root'] ?? ''),
    isEnabled: config.containers,
    dockerSockets: socketsOf(config, 'docker-socket'),
    podmanSockets: socketsOf(config, 'podman-socket'),
    containerdSockets: socketsOf(config, 'containerd-socket'),
    criSockets: config.cri,
    lookupTimeoutMs: config['container-lookup-ms'],
    callTimeoutMs: config['container-call-ms'],
  };
}

/** undefined where no API server is named and this is no pod: nothing is followed then. */
export function kubernetesOptions(
  config: Config,
  env: Readonly<Record<string, string | undefined>>,
): KubernetesOptions | undefined {
  const { kubeconfig } = config;
  const apiUrl = config['k8s-api'];
  const isNamed = apiUrl !== undefined || kubeconfig !== undefined;
  if (config['k8s-api-cert'] !== undefined && apiUrl === undefined) {
    throw new ConfigError('--k8s-api-cert: is for --k8s-api, which is not given');
  }
  if (!isNamed && env['KUBERNETES_SERVICE_HOST'] === undefined) return undefined;
  return {
    access: { apiUrl, apiCert: config['k8s-api-cert'], kubeconfig, env },
    source: {
      nodeName: config['k8s-node'] ?? '',
      limits: { answerBytesMax: config['k8s-answer-bytes-max'], callTimeoutMs: config['k8s-call-ms'] },
      watchMs: config['k8s-watch-ms'],
      pageSize: config['k8s-page-size'],
      pageWaitMs: config['k8s-page-wait-ms'],
      podsMax: config['pods-max'],
      listsMax: config['k8s-lists-max'],
    },
  };
}

/** undefined: to be found; none: not to be asked. */
function socketsOf(
  config: Config,
  name: 'docker-socket' | 'podman-socket' | 'containerd-socket',
): readonly string[] | undefined {
  const paths = config[name];
  if (paths.length === 0) return undefined;
  if (!paths.includes('none')) return paths;
  if (paths.length > 1) throw new ConfigError(`--${name}: none excludes others`);
  return [];
}

/** Without the slashes at its end: '/' itself is no prefix. */
function rootOf(path: string): string {
  return path.replace(/\/+$/, '');
}

function powerOfTwo(bytes: number): number {
  return 2 ** Math.ceil(Math.log2(bytes));
}

function checkPid(text: string): number {
  const pid = Number(text);
  if (!/^\d+$/.test(text) || pid < 1 || pid > 4_194_304) {
    throw new ConfigError(`--suppress-pid: expected a process id, got '${text}'`);
  }
  return pid;
}

function checkPattern(pattern: string): void {
  try {
    RE2JS.compile(pattern);
  } catch (error) {
    throw new ConfigError(`--redact-args '${pattern}': ${(error as Error).message}`, { cause: error });
  }
}
