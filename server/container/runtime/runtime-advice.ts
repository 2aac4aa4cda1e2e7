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

const REASON_CHARS_MAX = 600;

export function faultOf(error: unknown): RuntimeFault {
  return error instanceof RuntimeError ? error.fault : 'protocol';
}

/** The reason, and what to do about it. */
export function adviceOn(kind: RuntimeKind, error: unknown): string {
  return `${reasonOf(error)} (${ADVICE[faultOf(error)](kind)})`;
}

/** What went wrong, as it may be shown. */
export function reasonOf(error: unknown): string {
  return shownText(error instanceof Error ? error.message : String(error), REASON_CHARS_MAX);
}

/** A runtime's own words, fit for terminals, logs and status: on one line, no longer than this. */
export function shownText(text: string, charsMax: number): string {
  const shown = text.slice(0, 4 * charsMax).replace(/[\p{Cc}\p{Cf}\s]+/gu, ' ');
  return shown.length > charsMax ? `${shown.slice(0, charsMax)}...` : shown;
}
