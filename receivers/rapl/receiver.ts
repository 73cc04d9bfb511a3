import type { Component, ReceiverContext } from '../../src/component/component.js';
import type { Consumer } from '../../src/component/consumer.js';
import { UnavailableError } from '../../src/component/errors.js';
import type { Series } from '../../src/model/series.js';
import { createSamplingReceiver } from '../../src/sampling/sampling-receiver.js';
import type { Config } from './config.js';
import { CounterGate } from './counter-gate.js';
import type { CounterState } from './counter.js';
import { nameDomain } from './domain.js';
import { DomainTelemetry, type DomainState } from './domain-telemetry.js';
import { watchGaps } from './gap-watch.js';
import { describeDomains, type Columns, type LeftOut } from './metrics.js';
import { choosePolling } from './polling.js';
import { explainGap } from './powercap-reader.js';
import { RowThinner } from './row-thinner.js';
import { readEnergy } from './zone-aliases.js';

/** Starts the sampler, and publishes what its counters show as far as they count and are not another receiver's. */
export class RaplReceiver implements Component {
  readonly #config: Config;
  readonly #context: ReceiverContext;
  readonly #energy: Component;
  readonly #thinner: RowThinner | undefined;
  readonly #gate: CounterGate;
  readonly #telemetry: DomainTelemetry;
  readonly #logged = new Set<string>();
  #unusable: readonly string[] = [];
  #resets = 0;
  #columns: Columns | undefined;

  constructor(config: Config, context: ReceiverContext, next: Consumer) {
    this.#config = config;
    this.#context = context;
    const { periodNs, isFiner } = choosePolling(config);
    this.#thinner = isFiner ? new RowThinner(next, config.sampling_interval * 1e6, periodNs) : undefined;
    this.#gate = new CounterGate(
      context,
      watchGaps(context, this.#thinner ?? next, (series) => explainGap(this.#gate.findPath(series))),
      {
        onChange: () => this.#report(),
        readCounter: readEnergy,
        nowMs: () => performance.now(),
      },
    );
    this.#telemetry = new DomainTelemetry(context.meter, context.id);
    this.#energy = createSamplingReceiver({
      context,
      next: this.#gate,
      module: new URL('./sampler.js', import.meta.url),
      options: config,
      intervalMs: periodNs / 1e6,
      flushMs: config.flush_interval,
      createSeries: (columns: Columns, start) => this.#describe(columns, start),
    });
  }

  /** Whether no package can be read, although packages are wanted. */
  get isPartial(): boolean {
    const hasPackage = this.#columns?.domains.some(({ kind }) => kind === 'package') === true;
    return this.#config.domains.package && !hasPackage;
  }

  async start(): Promise<void> {
    await this.#energy.start();
    const { states } = this.#gate;
    if (states.length > 0 && states.every(({ owner }) => owner !== undefined)) {
      await this.shutdown();
      throw new UnavailableError(this.#explainOwners(states));
    }
    this.#logUndecided();
  }

  async flush(): Promise<void> {
    await this.#energy.flush?.();
    this.#release();
  }

  async shutdown(): Promise<void> {
    await this.#energy.shutdown();
    this.#release();
    this.#telemetry.close();
  }

  #release(): void {
    this.#gate.settle();
    this.#thinner?.release();
  }

  #describe(columns: Columns, start: bigint): readonly Series[] {
    const series = this.#gate.describe(columns, start);
    this.#columns = columns;
    this.#logChanges(columns);
    return series;
  }

  #logChanges({ domains, resets, anew, notes, events, left }: Columns): void {
    const { log } = this.#context;
    if (resets > this.#resets) {
      const names = anew.map(nameDomain).join(' and ');
      log.warn(`The energy counter of ${names} was reset: what was used in between is unknown`);
    }
    this.#resets = resets;
    for (const note of notes) this.#logOnce('warn', note);
    for (const { level, text } of events) log[level](text);
    this.#logUnusable(left);
    const foreign = this.#gate.states.filter(({ owner }) => owner !== undefined);
    if (foreign.length > 0 && foreign.length < domains.length) {
      const names = foreign.map(({ domain, owner }) => `${nameDomain(domain)} by "${owner}"`);
      this.#logOnce('warn', `Leaves out what another receiver publishes: ${names.join(', ')}`);
    }
  }

  /** Names counters that are reset all the time when that begins and when it ends. */
  #logUnusable(left: readonly LeftOut[]): void {
    const { log } = this.#context;
    const unusable = left
      .filter(({ state }) => state === 'unusable')
      .map(({ domain, source }) => `${nameDomain(domain)} (${source})`);
    for (const name of unusable.filter((one) => !this.#unusable.includes(one)))
      log.warn(`${name} is unusable: its counter was reset more than 4 times within a minute; left out`);
    for (const name of this.#unusable.filter((one) => !unusable.includes(one)))
      log.info(`${name} is used again: its counter was not reset for a minute`);
    this.#unusable = unusable;
  }

  /** Called with the first table, and whenever other counters are published than before. */
  #report(): void {
    const { published, states } = this.#gate;
    const columns = this.#columns;
    if (columns === undefined) return;
    const { interface: name, resets } = columns;
    if (published.length > 0)
      this.#logOnce('info', `Reads ${describeDomains({ interface: name, domains: published })}`);
    const left = columns.left.map(({ domain, source, state }): DomainState => ({
      domain: nameDomain(domain),
      source,
      state,
    }));
    this.#telemetry.update(name, [...states.map(describeState), ...left], resets);
  }

  /** Once each, however often what is published changes. */
  #logOnce(level: 'info' | 'warn', message: string): void {
    if (this.#logged.has(message)) return;
    this.#logged.add(message);
    this.#context.log[level](message);
  }

  #explainOwners(states: readonly CounterState[]): string {
    const owners = [...new Set(states.map(({ owner }) => `"${owner}"`))].join(' and ');
    const remedy = `give "${this.#context.id}" domains of its own, or name ${owners} in its pipelines instead`;
    return `each domain is published once, and all of them are by ${owners}: ${remedy}`;
  }

  /** Names the counters that may be the same, when the first table has not shown it. */
  #logUndecided(): void {
    for (const text of this.#gate.describeUndecided()) this.#logOnce('info', text);
  }
}

function describeState({ domain, source, fate, owner }: CounterState): DomainState {
  const isRead = fate === 'alive' || fate === 'resting';
  const state = owner === undefined ? (isRead ? 'read' : fate) : 'foreign';
  return { domain: nameDomain(domain), source, state };
}
