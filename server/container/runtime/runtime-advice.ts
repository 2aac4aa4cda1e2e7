/** What an operator reads when a runtime does not answer as it should. */
import { RuntimeError, type RuntimeFault, type RuntimeKind } from './runtime-client.ts';

const OPTIONS: Readonly<Record<RuntimeKind, string>> = {
  docker: '--docker-socket',
  podman: '--podman-socket',
  cri: '--cri',
  containerd: '--containerd-socket',
};

const ADVICE: Readonly<Record<RuntimeFault, (kind: RuntimeKind) => string>> = {
  unreachable: () => 'is it running? It is tried again until it answers',
  permission: () =>
    'run as root with CAP_DAC_OVERRIDE (sockets of other users need it), or as a member of the group that owns the socket',
  timeout: () => 'the socket is there but nobody answers in time: see what the runtime itself says',
  protocol: (kind) => `the answer makes no sense: is this the right socket? ${OPTIONS[kind]} names another`,
  refused: (kind) => `if this is the wrong socket, ${OPTIONS[kind]} names another`,
};

export function faultOf(error: unknown): RuntimeFault {
  return error instanceof RuntimeError ? error.fault : 'protocol';
}

/** The reason, and what to do about it. */
export function adviceOn(kind: RuntimeKind, error: unknown): string {
  const reason = error instanceof Error ? error.message : String(error);
  return `${reason} (${ADVICE[faultOf(error)](kind)})`;
}
