/**
 * The socket of a fake runtime: may vanish and come back, accept and never answer, hang up at once, or say what no protocol
 * knows. What is accepted is given to the server behind it.
 */
import { chmodSync, renameSync, rmSync } from 'node:fs';
import { createServer, type Server, type Socket } from 'node:net';

/** `serve`: connections reach the server; `silent`: they are kept open; `reset`: closed at once; `noise`: answered by bytes of nothing. */
export type SocketMode = 'serve' | 'silent' | 'reset' | 'noise';

export class FakeSocket {
  readonly path: string;
  /** Connections accepted since the start. */
  acceptCount: number;
  private readonly onServed: (socket: Socket) => void;
  private readonly connections: Set<Socket>;
  private server: Server | undefined;
  private currentMode: SocketMode;

  constructor(path: string, onServed: (socket: Socket) => void) {
    this.path = path;
    this.acceptCount = 0;
    this.onServed = onServed;
    this.connections = new Set();
    this.server = undefined;
    this.currentMode = 'serve';
  }

  get openCount(): number {
    return this.connections.size;
  }

  get mode(): SocketMode {
    return this.currentMode;
  }

  /** Of the connections to come; those open now are kept unless they are dropped. */
  set mode(mode: SocketMode) {
    this.currentMode = mode;
  }

  async listen(): Promise<void> {
    const server = createServer((socket) => this.onConnection(socket));
    this.server = server;
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      server.listen(this.path, resolve);
    });
  }

  /** Ends every open connection, as a runtime that is killed does. */
  drop(): void {
    for (const socket of this.connections) socket.destroy();
  }

  /** As a killed runtime: connections break, the file goes away or, as after SIGKILL, stays and refuses. */
  async vanish(leavesFile = false): Promise<void> {
    const { server } = this;
    this.server = undefined;
    this.drop();
    if (server === undefined) return;
    await new Promise<void>((resolve) => {
      server.close(() => resolve());
    });
    if (!leavesFile) return;
    // A file of a socket that nobody listens on: made by a listener that is closed behind the file's back.
    await this.leaveFile();
  }

  async comeBack(): Promise<void> {
    rmSync(this.path, { force: true });
    await this.listen();
  }

  /** Permissions of the socket's file; they bind everybody but root. */
  chmod(mode: number): void {
    chmodSync(this.path, mode);
  }

  private async leaveFile(): Promise<void> {
    const server = createServer();
    const other = `${this.path}.x`;
    await new Promise<void>((resolve) => {
      server.listen(other, resolve);
    });
    renameSync(other, this.path);
    await new Promise<void>((resolve) => {
      server.close(() => resolve());
    });
  }

  private onConnection(socket: Socket): void {
    this.acceptCount++;
    this.connections.add(socket);
    socket.on('close', () => this.connections.delete(socket));
    socket.on('error', () => undefined);
    switch (this.currentMode) {
      case 'serve':
        this.onServed(socket);
        return;
      case 'silent':
        socket.resume();
        return;
      case 'reset':
        socket.destroy();
        return;
      case 'noise':
        socket.resume();
        socket.write(Buffer.from(Array.from({ length: 512 }, (_, i) => (i * 197) & 0xff)));
        return;
    }
  }
}
