import type { Component, ReceiverContext, ReceiverFactory } from '../../src/component/component.js';
import type { Consumer } from '../../src/component/consumer.js';
import type { Probe } from '../../src/component/probe.js';
import { hwEnergy } from '../../src/model/shared-metrics.js';
import type { RunningSampler } from '../../src/sampling/sampling.js';
import { schema } from './config.js';
import type { Config } from './config.js';
import { nameDomain } from './domain.js';
import { watchGaps } from './gap-watch.js';
import { createSeries, raplEnergy } from './metrics.js';
import type { Columns } from './metrics.js';
import { openReader } from './open-reader.js';

export const factory: ReceiverFactory<typeof schema> = {
  schema,
  metrics: [hwEnergy, raplEnergy],
  check: ({ domains }) =>
    Object.values(domains).some(Boolean) ? [] : ['domains: all are false, at least one must be read'],
  probe,
  create: (config, context, next) => new RaplReceiver(config, context, next),
};

function probe(config: Config): Probe {
  const { reader, notes, refusals } = openReader(config);
  reader?.close();
  const reasons = refusals.map(({ reason }) => reason);
  const remedies = new Map(
    refusals.flatMap((refusal) => refusal.remedies.map((remedy) => [remedy.command, remedy])),
  );
  return {
    available: reader !== undefined,
    found: [...(reader ? [describeDomains(reader)] : []), ...notes, ...reasons].join('; '),
    remedies: [...remedies.values()],
  };
}

function describeDomains({ interface: name, domains }: Omit<Columns, 'notes'>): string {
  return `${name}: ${domains.map(nameDomain).join(', ')}`;
}

class RaplReceiver implements Component {
  readonly #config: Config;
  readonly #context: ReceiverContext;
  readonly #next: Consumer;
  #running: RunningSampler | undefined;

  constructor(config: Config, context: ReceiverContext, next: Consumer) {
    this.#config = config;
    this.#context = context;
    this.#next = watchGaps(context, next);
  }

  async start(): Promise<void> {
    const { id, log, host, sampling } = this.#context;
    this.#running = await sampling.start({
      id,
      module: new URL('./sampler.js', import.meta.url),
      options: this.#config,
      periodNs: Math.round(this.#config.sampling_interval * 1e6),
      flushMs: this.#config.flush_interval,
      describe: (columns, start) => {
        // What this receiver's own sampler said.
        const own = columns as Columns;
        log.info(`Reads ${describeDomains(own)}`);
        for (const note of own.notes) log.warn(note);
        return createSeries(own, host, start);
      },
      next: this.#next,
      log,
    });
  }

  async flush(): Promise<void> {
    await this.#running?.flush();
  }

  async shutdown(): Promise<void> {
    await this.#running?.stop();
    this.#running = undefined;
  }
}
