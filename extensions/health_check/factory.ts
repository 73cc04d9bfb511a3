import type { IncomingMessage } from 'node:http';
import type { Component, ExtensionContext, ExtensionFactory } from '../../src/component/component.js';
import { servePages, type Answer, type PageServer } from '../../src/http/server.js';
import { schema, type Config } from './config.js';
import { describeStatus, isHealthy, type Observation } from './health.js';
import { pageHeaders, renderStatusPage } from './status-page.js';

const standardEndpoint = 'localhost:13133';

/** Reports to load balancers and Kubernetes whether the pipelines run. */
export const factory: ExtensionFactory<typeof schema> = {
  schema,
  check: ({ path, status }) => [
    ...checkPath('path', path),
    ...checkPath('status.path', status.path),
    ...(status.enabled && status.path === path
      ? [`status.path: expected another path than that of the health check, found "${path}" for both`]
      : []),
  ],
  listensAt: ({ endpoint }) => [endpoint ?? standardEndpoint],
  create: (config, context) => new HealthCheck(config, context),
};

function checkPath(setting: string, path: string): readonly string[] {
  return path.startsWith('/') ? [] : [`${setting}: expected a path that begins with "/", found "${path}"`];
}

class HealthCheck implements Component {
  readonly #config: Config;
  readonly #context: ExtensionContext;
  #listener: PageServer | undefined;

  constructor(config: Config, context: ExtensionContext) {
    this.#config = config;
    this.#context = context;
  }

  async start(): Promise<void> {
    const { endpoint, path, status, web_config_file: webConfigFile } = this.#config;
    const { id, log } = this.#context;
    const upSince = new Date();
    const pages = {
      [path]: () => this.#answer(upSince),
      ...(status.enabled && {
        [status.path]: (request: IncomingMessage) => this.#answerStatus(this.#observe(upSince), request),
      }),
    };
    this.#listener = await servePages(pages, {
      chosen: endpoint,
      fallback: standardEndpoint,
      setting: `extensions.${id}.endpoint`,
      webConfigFile,
      log,
    });
    if (this.#listener) log.info(`Serving health at ${this.#listener.origin}${path}`);
  }

  async shutdown(): Promise<void> {
    await this.#listener?.close();
  }

  #answer(upSince: Date): Answer {
    const { status, body } = describeHealth(isHealthy(this.#observe(upSince)), upSince, new Date());
    return { status, headers: { 'Content-Type': 'application/json' }, body };
  }

  #observe(upSince: Date): Observation {
    const { isReady, agent } = this.#context;
    const { include_recoverable_errors: isIncluded, recovery_duration: ms } = this.#config.component_health;
    const recoveryMs = isIncluded ? ms : undefined;
    const { isStopping } = agent;
    const components = agent.listComponents();
    return { isReady: isReady(), isStopping, upSince, now: new Date(), components, recoveryMs };
  }

  #answerStatus(observation: Observation, request: IncomingMessage): Answer {
    const { isPage, isVerbose } = readAccept(request);
    const status = isHealthy(observation) ? 200 : 503;
    if (isPage) return { status, headers: pageHeaders, body: renderStatusPage(observation) };
    const body = `${JSON.stringify(describeStatus(observation, isVerbose))}\n`;
    return { status, headers: { 'Content-Type': 'application/json', 'Cache-Control': 'no-store' }, body };
  }
}

/** Whether a browser sent the request, and whether it asks for all details. */
function readAccept({ url = '', headers }: IncomingMessage) {
  const { searchParams } = new URL(url, 'http://localhost');
  return {
    isPage: headers.accept?.includes('text/html') === true,
    isVerbose: searchParams.has('verbose') && searchParams.get('verbose') !== 'false',
  };
}

/** An answer in the format of the Collector's extension of the same name. */
export interface Health {
  readonly status: 200 | 503;
  readonly body: string;
}

/**
 * What is reported of the collector's health.
 * @param upSince when the extension was started
 */
export function describeHealth(isReady: boolean, upSince: Date, now: Date): Health {
  const told = isReady
    ? {
        status: 'Server available',
        upSince: upSince.toISOString(),
        uptime: formatUptime(now.getTime() - upSince.getTime()),
      }
    : { status: 'Server not available' };
  return { status: isReady ? 200 : 503, body: `${JSON.stringify(told)}\n` };
}

/** A duration in Go's format: `26h3m4.5s`. */
function formatUptime(ms: number): string {
  // The wall clock can be set back.
  const totalSeconds = Math.max(0, ms) / 1000;
  const hours = Math.floor(totalSeconds / 3600);
  const minutes = Math.floor((totalSeconds % 3600) / 60);
  const seconds = `${Number((totalSeconds % 60).toFixed(3))}s`;
  if (hours > 0) return `${hours}h${minutes}m${seconds}`;
  return minutes > 0 ? `${minutes}m${seconds}` : seconds;
}
