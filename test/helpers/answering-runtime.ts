/** An HTTP server on a Unix socket that answers what it is told to, by path: what a runtime may say, well-formed or not. */
import { createServer, type Server, type ServerResponse } from 'node:http';

/** Status (200 if left out) and a body; text and bytes go out as they are, the rest as JSON. */
export interface RuntimeAnswer {
  readonly status?: number | undefined;
  readonly body: unknown;
}

export type RuntimeAnswers = (
  path: string,
) => RuntimeAnswer | ((response: ServerResponse) => void) | undefined;

export class AnsweringRuntime {
  readonly socketPath: string;
  /** Paths asked for, with their queries. */
  readonly asked: string[];
  answers: RuntimeAnswers;
  private readonly server: Server;

  constructor(socketPath: string, answers: RuntimeAnswers) {
    this.socketPath = socketPath;
    this.asked = [];
    this.answers = answers;
    this.server = createServer((request, response) => this.respond(request.url ?? '', response));
  }

  listen(): Promise<void> {
    return new Promise((resolve) => this.server.listen(this.socketPath, resolve));
  }

  close(): Promise<void> {
    return new Promise((resolve) => {
      this.server.close(() => resolve());
      this.server.closeAllConnections();
    });
  }

  private respond(path: string, response: ServerResponse): void {
    this.asked.push(path);
    const answer = this.answers(path.split('?', 1)[0] as string) ?? {
      status: 404,
      body: { message: 'page not found' },
    };
    if (typeof answer === 'function') {
      answer(response);
      return;
    }
    const { body } = answer;
    response.writeHead(answer.status ?? 200, { 'Content-Type': 'application/json' });
    response.end(typeof body === 'string' || body instanceof Uint8Array ? body : JSON.stringify(body));
  }
}
