import { once } from 'node:events';
import { readFileSync, writeFileSync } from 'node:fs';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { createCertificate } from '../../src/http/certificate.fixture.js';
import { createFolder } from '../../src/testing/temporary-folder.fixture.js';

export type Answer = (url: URL, response: ServerResponse, request: IncomingMessage) => void;

/** A kubelet or an API server with TLS and a required token, and files for its clients. */
export async function openKubernetes(t: TestContext, answer: Answer) {
  const { certFile, keyFile } = createCertificate();
  const tokenFile = join(createFolder(), 'token');
  const kubernetes = {
    port: 0,
    caFile: certFile,
    tokenFile,
    urls: [] as URL[],
    answer,
    /** The token that clients must send. */
    token: 'first',
    endConnections: () => server.closeAllConnections(),
  };
  writeFileSync(tokenFile, kubernetes.token);
  const tls = { cert: readFileSync(certFile), key: readFileSync(keyFile) };
  const server = createServer(tls, (request, response) => {
    const url = new URL(request.url ?? '', 'https://server');
    kubernetes.urls.push(url);
    if (request.headers.authorization !== `Bearer ${kubernetes.token}`) {
      sendStatus(response, 401, 'Unauthorized');
    } else kubernetes.answer(url, response, request);
  });
  server.on('tlsClientError', () => undefined);
  server.listen(0);
  await once(server, 'listening');
  kubernetes.port = (server.address() as AddressInfo).port;
  t.after(async () => {
    server.closeAllConnections();
    server.close();
    await once(server, 'close');
  });
  return kubernetes;
}

/** A Status as the Kubernetes API sends it. */
export function sendStatus(response: ServerResponse, code: number, message: string): void {
  response.writeHead(code, { 'Content-Type': 'application/json' });
  response.end(JSON.stringify({ kind: 'Status', message, code }));
}

/** A pod with a container. */
export function podOf(uid: string, containerId?: string, name = `pod-${uid}`) {
  return {
    metadata: { name, namespace: 'shop', uid, resourceVersion: '5' },
    spec: { nodeName: 'node-1', containers: [{ name: 'app', image: 'web:2' }] },
    status: containerId
      ? { containerStatuses: [{ name: 'app', containerID: `containerd://${containerId}` }] }
      : {},
  };
}

export function sendList(response: ServerResponse, items: readonly object[], resourceVersion = '7'): void {
  response.end(JSON.stringify({ kind: 'PodList', apiVersion: 'v1', metadata: { resourceVersion }, items }));
}
