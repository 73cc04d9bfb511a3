// The minimum cost of a page: a server in a separate process that always answers with the same text. Prints its
// port.
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

const body = 'hw_energy_joules_total 1\n'.repeat(50);
const server = createServer((_, response) => response.setHeader('content-type', 'text/plain').end(body));
server.listen(0, 'localhost');
await once(server, 'listening');
console.log((server.address() as AddressInfo).port); // a server that listens on a port
