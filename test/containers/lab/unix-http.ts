/** GET over a Unix socket: JSON out. */
import { request } from 'node:http';

const TIMEOUT_MS = 20_000;

export function getJson(socketPath: string, path: string): Promise<unknown> {
  return new Promise((resolve, reject) => {
    const call = request({ socketPath, path, timeout: TIMEOUT_MS }, (answer) => {
      const chunks: Buffer[] = [];
      answer.on('data', (chunk: Buffer) => chunks.push(chunk));
      answer.once('error', reject);
      answer.once('end', () => {
        const text = Buffer.concat(chunks).toString('utf8');
        if (answer.statusCode !== 200)
          reject(new Error(`${path}: ${answer.statusCode} ${text.slice(0, 200)}`));
        else resolve(JSON.parse(text));
      });
    });
    call.once('timeout', () => call.destroy(new Error(`${path}: no answer`)));
    call.once('error', reject);
    call.end();
  });
}
