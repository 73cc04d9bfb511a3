import { readFileSync } from 'node:fs';
import { createServer, type RequestListener } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import type { TestContext } from 'node:test';
import type { CertificateFiles } from './certificate.fixture.js';

/** For tests: a server on 127.0.0.1, closed after the test. @returns its address */
export async function serve(
  t: TestContext,
  answer: RequestListener,
  tls?: CertificateFiles,
): Promise<string> {
  const server = tls
    ? createTlsServer({ cert: readFileSync(tls.certFile), key: readFileSync(tls.keyFile) }, answer)
    : createServer(answer);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  const { port } = server.address() as AddressInfo; // A TCP server has a numeric port.
  return tls ? `https://localhost:${port}` : `http://127.0.0.1:${port}`;
}
