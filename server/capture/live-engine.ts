/** Makes the engines that capture this node. Their modules are loaded when wanted: capture files need no native code. */
import type { CaptureEngine } from './capture-engine.ts';
import type { LiveOptions } from './live-options.ts';
import { RedactingEngine } from './redacting-engine.ts';
import { Redactor } from './redaction.ts';

/** Opens nothing yet. */
export async function makeLiveEngine(
  name: 'ebpf' | 'nodriver',
  options: LiveOptions,
): Promise<CaptureEngine> {
  const engine = name === 'ebpf' ? await makeEbpf(options) : await makeNodriver(options);
  const redactor = new Redactor(options);
  // Without patterns the engines themselves leave out the environment that was not asked for.
  return redactor.hasPatterns || options.collectEnv.length > 0
    ? new RedactingEngine(engine, redactor)
    : engine;
}

async function makeEbpf(options: LiveOptions): Promise<CaptureEngine> {
  const { EbpfEngine } = await import('./ebpf/ebpf-engine.ts');
  return new EbpfEngine(options);
}

async function makeNodriver(options: LiveOptions): Promise<CaptureEngine> {
  const { NodriverEngine } = await import('./nodriver/nodriver-engine.ts');
  return new NodriverEngine(options);
}
