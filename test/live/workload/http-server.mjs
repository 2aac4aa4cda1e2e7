// Serves a few requests on a port of the kernel's choice, with a thread pool read, and ends when told to.
import { readFile } from 'node:fs';
import { createServer } from 'node:http';

const server = createServer((request, response) => {
  if (request.url === '/stop') {
    response.end('stopping\n', () => server.close(() => process.exit(0)));
    return;
  }
  readFile('/etc/hostname', (error, text) => response.end(error === null ? text : error.message));
});
server.listen(0, '127.0.0.1', () => console.log(server.address().port));
