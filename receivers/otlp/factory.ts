import type { Component, ReceiverContext, ReceiverFactory } from '../../src/component/component.js';
import type { Consumer } from '../../src/component/consumer.js';
import { checkConfig, replacedSettings, schema, type Config } from './config.js';
import { serveHttp } from './http-server.js';
import { Intake } from './intake.js';

/** Receives metrics from other agents and from applications. */
export const factory: ReceiverFactory<typeof schema> = {
  schema,
  // The metrics depend on the senders.
  metrics: [],
  replacedSettings,
  check: checkConfig,
  listensAt: ({ protocols: { grpc, http } }) => [grpc, http].flatMap((protocol) => protocol?.endpoint ?? []),
  probe: ({ protocols }) => ({ available: true, found: describeProtocols(protocols), remedies: [] }),
  create: (config, context, next) => new OtlpReceiver(config, context, next),
};

function describeProtocols({ grpc, http }: Config['protocols']): string {
  const parts = [grpc && `gRPC at ${grpc.endpoint}`, http && `HTTP at ${http.endpoint}`];
  return parts.filter((part) => part !== null).join(', ');
}

class OtlpReceiver implements Component {
  readonly #config: Config;
  readonly #context: ReceiverContext;
  readonly #intake: Intake;
  readonly #servers: { close(): Promise<void> }[] = [];

  constructor(config: Config, context: ReceiverContext, next: Consumer) {
    this.#config = config;
    this.#context = context;
    const { max_series: maxSeries, series_expiry: expiryMs } = config;
    this.#intake = new Intake({ maxSeries, expiryMs }, context, next);
  }

  async start(): Promise<void> {
    const { grpc, http } = this.#config.protocols;
    if (grpc) {
      const { serveGrpc } = await import('./grpc-server.js');
      this.#add('gRPC', await serveGrpc(grpc, this.#context, this.#intake));
    }
    if (http) this.#add('HTTP', await serveHttp(http, this.#context, this.#intake));
    this.#intake.start();
  }

  async shutdown(): Promise<void> {
    await this.#intake.shutdown();
    await Promise.all(this.#servers.splice(0).map((server) => server.close()));
  }

  #add(protocol: string, server: { readonly origin: string; close(): Promise<void> } | undefined): void {
    if (server === undefined) return;
    this.#servers.push(server);
    this.#context.log.info(`Receiving OTLP/${protocol} at ${server.origin}`);
  }
}
