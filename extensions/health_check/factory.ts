import { createServer, type Server } from 'node:http';
import type { Component, ExtensionContext, ExtensionFactory } from '../../src/component/component.js';
import { listenAsWished, type Listener } from '../../src/component/listen.js';
import { schema, type Config } from './config.js';
import { describeHealth } from './health.js';

const standardEndpoint = 'localhost:13133';

/** Tells load balancers and Kubernetes whether the pipelines run. */
export const factory: ExtensionFactory<typeof schema> = {
  schema,
  check: ({ path }) =>
    path.startsWith('/') ? [] : [`path: found "${path}", wanted a path that begins with "/"`],
  listensAt: ({ endpoint }) => endpoint ?? standardEndpoint,
  create: (config, context) => new HealthCheck(config, context),
};

class HealthCheck implements Component {
  readonly #config: Config;
  readonly #context: ExtensionContext;
  #listener: Listener | undefined;

  constructor(config: Config, context: ExtensionContext) {
    this.#config = config;
    this.#context = context;
  }

  async start(): Promise<void> {
    const { endpoint, path } = this.#config;
    const { log } = this.#context;
    const server = this.#createServer(new Date());
    this.#listener = await listenAsWished(server, { chosen: endpoint, fallback: standardEndpoint, log });
    if (this.#listener) log.info(`Health at http://${this.#listener.address}${path}`);
  }

  async shutdown(): Promise<void> {
    await this.#listener?.close();
  }

  #createServer(upSince: Date): Server {
    return createServer((request, response) => {
      if (request.url?.split('?', 1)[0] !== this.#config.path) {
        response.writeHead(404, { 'content-type': 'text/plain' }).end('Not found\n');
        return;
      }
      const { status, body } = describeHealth(this.#context.isReady(), upSince, new Date());
      response.writeHead(status, { 'content-type': 'application/json' }).end(body);
    });
  }
}
