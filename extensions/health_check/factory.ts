import type { Component, ExtensionContext, ExtensionFactory } from '../../src/component/component.js';
import { servePages, type Answer, type PageServer } from '../../src/http/server.js';
import { schema, type Config } from './config.js';
import { describeHealth } from './health.js';

const standardEndpoint = 'localhost:13133';

/** Reports to load balancers and Kubernetes whether the pipelines run. */
export const factory: ExtensionFactory<typeof schema> = {
  schema,
  check: ({ path }) =>
    path.startsWith('/') ? [] : [`path: expected a path that begins with "/", found "${path}"`],
  listensAt: ({ endpoint }) => endpoint ?? standardEndpoint,
  create: (config, context) => new HealthCheck(config, context),
};

class HealthCheck implements Component {
  readonly #config: Config;
  readonly #context: ExtensionContext;
  #listener: PageServer | undefined;

  constructor(config: Config, context: ExtensionContext) {
    this.#config = config;
    this.#context = context;
  }

  async start(): Promise<void> {
    const { endpoint, path, web_config_file: webConfigFile } = this.#config;
    const { id, log } = this.#context;
    const upSince = new Date();
    const pages = { [path]: () => this.#answer(upSince) };
    this.#listener = await servePages(pages, {
      chosen: endpoint,
      fallback: standardEndpoint,
      setting: `extensions.${id}.endpoint`,
      webConfigFile,
      log,
    });
    if (this.#listener) log.info(`Health at ${this.#listener.origin}${path}`);
  }

  async shutdown(): Promise<void> {
    await this.#listener?.close();
  }

  #answer(upSince: Date): Answer {
    const { status, body } = describeHealth(this.#context.isReady(), upSince, new Date());
    return { status, headers: { 'Content-Type': 'application/json' }, body };
  }
}
