/** A process with one fd of every kind that is easily had, and a second thread; says `ready`, then keeps still. */
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { mkdtempSync, openSync, writeFileSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const folder = mkdtempSync(join(tmpdir(), 'strata-open-'));
process.chdir(folder);
writeFileSync('file', 'x');
openSync('file', 'a+');
openSync('.', 'r');
openSync('/dev/null', 'w');
const servers = [createServer(), createServer(), createServer()] as const;
servers[0].listen(0, '127.0.0.1');
servers[1].listen(0, '::1');
servers[2].listen(join(folder, 'socket'));
await Promise.all(servers.map((server) => once(server, 'listening')));
const port = (server: (typeof servers)[number]) => (server.address() as { port: number }).port;
const clients = [
  connect(port(servers[0]), '127.0.0.1'),
  connect(port(servers[1]), '::1'),
  connect(join(folder, 'socket')),
];
await Promise.all(clients.map((client) => once(client, 'connect')));
const datagrams = createSocket('udp4');
datagrams.bind(0, '127.0.0.1');
await once(datagrams, 'listening');
process.stdout.write(`ready ${folder}\n`);
process.stdin.resume();
