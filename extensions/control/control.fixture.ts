import { request as httpRequest } from 'node:http';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import type { AgentControl, ComponentStatus } from '../../src/component/agent-control.js';
import { createFakeAgent, createFakeContext, createLogCollector } from '../../src/component/fakes.js';
import { parseSettings } from '../../src/config/settings.js';
import { createFolder } from '../../src/testing/temporary-folder.fixture.js';
import { factory } from './factory.js';

const since = new Date('2026-11-28T12:00:00Z');

/** A running component as the agent reports it. */
export function component(kind: ComponentStatus['kind'], id: string): ComponentStatus {
  const pipelines = kind === 'extension' ? [] : ['metrics'];
  return { kind, id, pipelines, state: 'running', since, acceptedPoints: 3, refusedPoints: 1 };
}

/** The components that the test agent lists. */
export const components = [
  component('exporter', 'file'),
  component('processor', 'filter'),
  { ...component('receiver', 'rapl'), intervalsMs: { sampling_interval: 0.5 } },
  { ...component('receiver', 'otlp'), lastError: { message: 'no luck', at: since } },
  component('extension', 'control'),
];

/** An agent that records what it is asked to do. */
function createAgent(calls: string[], overrides: Partial<AgentControl> = {}): AgentControl {
  const note =
    (verb: string) =>
    (...args: unknown[]) => {
      calls.push([verb, ...args].join(' ').trim());
      return Promise.resolve();
    };
  return createFakeAgent({
    listComponents: () => components,
    pause: note('pause'),
    resume: note('resume'),
    setInterval: note('set'),
    trigger: note('trigger'),
    stop: note('stop'),
    flush: note('flush'),
    shutdown: () => void calls.push('shutdown'),
    ...overrides,
  });
}

/** Starts the extension on a socket of its own; `ask` sends it requests, `calls` records what it asked the agent. */
export async function start(t: TestContext, settings: object = {}, overrides: Partial<AgentControl> = {}) {
  const log = createLogCollector();
  const calls: string[] = [];
  const path = join(createFolder(), 'control.sock');
  const { socket = {}, ...rest } = settings as { readonly socket?: object };
  const config = parseSettings(factory.schema, { socket: { path, ...socket }, ...rest });
  const agent = createAgent(calls, overrides);
  const extension = factory.create(config, { ...createFakeContext({ log }), isReady: () => true, agent });
  t.after(() => extension.shutdown());
  await extension.start();
  const ask = (url: string, body?: string) => send({ socketPath: path, path: url }, body);
  return { extension, ask, calls, path, log };
}

/** @returns the status, and the JSON or the text of the answer */
export function send(options: object, body?: string): Promise<readonly [number | undefined, unknown]> {
  return new Promise((resolve, reject) => {
    const method = body === undefined ? 'GET' : 'POST';
    const request = httpRequest({ ...options, method, agent: false }, (response) => {
      let text = '';
      response.setEncoding('utf8').on('data', (part: string) => (text += part));
      response.once('end', () => {
        const isJson = response.headers['content-type'] === 'application/json';
        resolve([response.statusCode, isJson ? (JSON.parse(text) as unknown) : text]);
      });
    });
    request.once('error', reject).end(body);
  });
}
