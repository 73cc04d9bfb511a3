import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import type { ReceiverContext } from '../../src/component/component.js';
import { createFolder } from '../../src/testing/temporary-folder.fixture.js';
import { containerId, runProcessor } from './names.fixture.js';

type Answer = (url: URL, response: ServerResponse, request: IncomingMessage) => void;

/** A Docker API on a temporary socket. */
export async function openEngine(
  t: TestContext,
  answer: Answer,
  socket = join(createFolder(), 'docker.sock'),
) {
  const urls: URL[] = [];
  const open = { now: 0, most: 0 };
  const server = createServer((request, response) => {
    const url = new URL(request.url ?? '', 'http://engine');
    urls.push(url);
    open.most = Math.max(open.most, ++open.now);
    response.once('close', () => (open.now -= 1));
    answer(url, response, request);
  });
  server.listen(socket);
  await once(server, 'listening');
  const close = async () => {
    server.closeAllConnections();
    server.close();
    if (server.listening) await once(server, 'close');
  };
  t.after(close);
  return { socket, urls, open, close };
}

/** The containers requested from a list. */
export function askedIds(url: URL): readonly string[] {
  const { id } = JSON.parse(url.searchParams.get('filters') ?? '{}') as { readonly id: readonly string[] };
  return id;
}

export const json = (response: ServerResponse, value: unknown) => void response.end(JSON.stringify(value));

export function run(
  t: TestContext,
  socket: string,
  settings: object = {},
  context: Partial<ReceiverContext> = {},
) {
  const docker = { sources: ['docker'], docker: { sockets: [socket] }, max_wait: '60s' };
  return runProcessor(t, { ...docker, ...settings }, context);
}

export const web = {
  Id: containerId(1),
  Names: ['/web'],
  Image: 'registry:5000/team/web:1.2',
  Labels: { team: 'a', x: 'y' },
};
