import { once } from 'node:events';
import { createServer, request as send, type IncomingMessage } from 'node:http';
import { connect, type AddressInfo, type Socket } from 'node:net';
import type { TestContext } from 'node:test';

/** For tests: an HTTP proxy that sends every request to one backend, whatever its target. */
export interface TestProxy {
  readonly port: number;
  /** What was requested: `CONNECT name:port` or `POST http://name:port/path`, and the credentials. */
  readonly asked: string[];
}

/** @param refusal a status with which it refuses */
export async function openProxy(t: TestContext, backendPort: number, refusal?: number): Promise<TestProxy> {
  const asked: string[] = [];
  const sockets: Socket[] = [];
  const note = ({ method, url, headers }: IncomingMessage) => {
    const shown = headers['proxy-authorization'];
    asked.push(`${method} ${url}${shown === undefined ? '' : ` ${shown}`}`);
  };
  const server = createServer((request, response) => {
    note(request);
    const { method, headers, url = '' } = request;
    const { pathname } = new URL(url);
    const onward = send({
      host: 'localhost',
      port: backendPort,
      method,
      headers,
      path: pathname,
      agent: false,
    });
    onward.on('response', (answer) => {
      response.writeHead(answer.statusCode ?? 500, answer.headers);
      answer.pipe(response);
    });
    request.pipe(onward);
  });
  server.on('connect', (request: IncomingMessage, socket: Socket) => {
    note(request);
    sockets.push(socket.on('error', () => {}));
    if (refusal !== undefined) {
      socket.end(`HTTP/1.1 ${refusal} Refused\r\n\r\n`);
      return;
    }
    const onward = connect(backendPort, 'localhost', () => {
      socket.write('HTTP/1.1 200 Connection Established\r\n\r\n');
      onward.pipe(socket).pipe(onward);
    });
    sockets.push(onward.on('error', () => socket.destroy()));
  });
  t.after(() => {
    for (const socket of sockets) socket.destroy();
    server.closeAllConnections();
    server.close();
  });
  server.listen(0, 'localhost');
  await once(server, 'listening');
  // A listening server has such an address.
  return { port: (server.address() as AddressInfo).port, asked };
}

/** For tests: environment variables for the time of one test. */
export function setVariables(t: TestContext, variables: Readonly<Record<string, string>>): void {
  const before = Object.keys(variables).map((name) => [name, process.env[name]] as const);
  Object.assign(process.env, variables);
  t.after(() => {
    for (const [name, value] of before) {
      if (value === undefined) delete process.env[name];
      else process.env[name] = value;
    }
  });
}
