import type { Component, ReceiverContext, ReceiverFactory } from '../../src/component/component.js';
import type { Consumer } from '../../src/component/consumer.js';
import type { Probe } from '../../src/component/probe.js';
import { elementAt } from '../../src/element.js';
import { UnavailableError } from '../../src/errors.js';
import { energyMetricOf, raplEnergy } from '../../src/model/energy-domain.js';
import { ATTR_HW_ID } from '../../src/model/semantic-conventions.js';
import type { Series } from '../../src/model/series.js';
import { hwEnergy } from '../../src/model/shared-metrics.js';
import { watchGaps } from '../../src/sampling/gaps.js';
import { RowThinner } from '../../src/sampling/row-buffer.js';
import { createSamplingReceiver } from '../../src/sampling/sampling-receiver.js';
import { schema, type Config } from './config.js';
import { describeCopies } from './copy-watch.js';
import type { CounterState } from './counter.js';
import { CounterGate } from './counter-gate.js';
import { describeUndecided, findTwins, Twins } from './counter-health.js';
import { describeDomains, domainKinds, nameDomain, type Columns } from './domain.js';
import type { CounterPlace } from './energy-reader.js';
import { findZones, minPollingMs, readEnergy } from './find-powercap.js';
import { openReader, type Opening } from './open-reader.js';
import { explainGap } from './powercap-counters.js';
import { DomainLog, DomainTelemetry, type DomainState } from './telemetry.js';

export const factory: ReceiverFactory<typeof schema> = {
  schema,
  metrics: [hwEnergy, raplEnergy],
  expectedSeries: ({ domains }) =>
    domainKinds
      .filter((kind) => domains[kind])
      .map((kind) => ({ metric: energyMetricOf({ kind }).name, scope: kind })),
  check: ({ domains }) =>
    Object.values(domains).some(Boolean) ? [] : ['domains: all are false, at least one must be read'],
  samples: true,
  probe,
  create: (config, context, next) => new RaplReceiver(config, context, next),
};

/** Starts the sampler, and publishes its counters as far as they count and are not another receiver's. */
export class RaplReceiver implements Component {
  readonly #config: Config;
  readonly #context: ReceiverContext;
  readonly #energy: Component;
  readonly #thinner: RowThinner;
  readonly #gate: CounterGate;
  readonly #telemetry: DomainTelemetry;
  readonly #log: DomainLog;
  #columns: Columns | undefined;

  constructor(config: Config, context: ReceiverContext, next: Consumer) {
    this.#config = config;
    this.#context = context;
    this.#telemetry = new DomainTelemetry(context.meter, context.id);
    this.#log = new DomainLog(context.log);
    const { periodNs } = choosePolling(config);
    this.#thinner = new RowThinner(next, config.sampling_interval * 1e6, periodNs);
    const published = watchGaps(context, this.#thinner, {
      describe: (series) => ({
        what: `the energy of ${series.attributes[ATTR_HW_ID]}`,
        reason: explainGap(this.#gate.findPath(series)),
      }),
      failingTables: 1,
    });
    this.#gate = new CounterGate(context, published, {
      onChange: () => this.#report(),
      readCounter: readEnergy,
      nowMs: () => performance.now(),
    });
    this.#energy = createSamplingReceiver({
      context,
      next: this.#gate,
      module: new URL('./sampler.js', import.meta.url),
      options: config,
      intervalMs: config.sampling_interval,
      choosePeriodMs: (intervalMs) => this.#choosePeriodMs(intervalMs),
      flushMs: config.flush_interval,
      createSeries: (columns: Columns, start) => this.#createSeries(columns, start),
    });
  }

  /** Whether no package can be read, although packages are selected. */
  get isPartial(): boolean {
    const hasPackage = this.#columns?.domains.some(({ kind }) => kind === 'package') === true;
    return this.#config.domains.package && !hasPackage;
  }

  async start(): Promise<void> {
    await this.#energy.start();
    const { states } = this.#gate;
    if (states.length > 0 && states.every(({ owner }) => owner !== undefined)) {
      await this.shutdown();
      throw new UnavailableError(explainOwners(states, this.#context.id));
    }
    this.#log.leaveUndecided(this.#gate.describeUndecided());
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

  /** Rows are taken at the interval, readings as often as counters require. */
  #choosePeriodMs(intervalMs: number): number {
    const { periodNs } = choosePolling({ ...this.#config, sampling_interval: intervalMs });
    this.#thinner.setTimes(intervalMs * 1e6, periodNs);
    return periodNs / 1e6;
  }

  #release(): void {
    this.#gate.settle();
    this.#thinner.release();
  }

  #createSeries(columns: Columns, start: bigint): readonly Series[] {
    const series = this.#gate.describe(columns, start);
    this.#columns = columns;
    this.#log.follow(columns, this.#gate.states);
    return series;
  }

  /** Called with the first table, and whenever the set of published counters changes. */
  #report(): void {
    if (this.#columns === undefined) return;
    const { interface: name, left, resets } = this.#columns;
    this.#log.publish(name, this.#gate.published);
    const others = left.map(({ domain, source, state }): DomainState => ({
      domain: nameDomain(domain),
      source,
      state,
    }));
    this.#telemetry.update(name, [...this.#gate.states.map(describeState), ...others], resets);
  }
}

/** Hotplug is noticed within this time. */
const maxPollingMs = 10_000;

/** How often the counters are read. */
export interface Polling {
  /** Time between two readings, in nanoseconds: the sampling interval divided by a whole number. */
  readonly periodNs: number;
  /** Whether readings are more frequent than the settings require. */
  readonly isFiner: boolean;
}

/**
 * Chooses a period in which no counter can advance by more than half its range: the kernel does not count the
 * wraps of powercap zones, so that a wrap between two distant readings would be lost.
 */
export function choosePolling(config: Config): Polling {
  const wantedMs = config.sampling_interval;
  const times = Math.ceil(wantedMs / findMaxPollingMs(config));
  return { periodNs: Math.round((wantedMs * 1e6) / times), isFiner: times > 1 };
}

function findMaxPollingMs({ interface: name, sysfs, sampling_interval: wantedMs }: Config): number {
  if (name === 'perf_event' || wantedMs <= minPollingMs) return maxPollingMs;
  const halves = findZones(sysfs).map(({ maxMicrojoules, maxWatts }) => maxMicrojoules / 1e3 / maxWatts / 2);
  return Math.max(minPollingMs, Math.min(maxPollingMs, ...halves));
}

function explainOwners(states: readonly CounterState[], id: string): string {
  const owners = [...new Set(states.map(({ owner }) => `"${owner}"`))].join(' and ');
  const remedy = `give "${id}" domains of its own, or name ${owners} in its pipelines instead`;
  return `each domain is published once, and all of them are by ${owners}: ${remedy}`;
}

function describeState({ domain, source, state, owner }: CounterState): DomainState {
  const isRead = state === 'alive' || state === 'resting';
  return {
    domain: nameDomain(domain),
    source,
    state: owner !== undefined ? 'foreign' : isRead ? 'read' : state,
  };
}

function probe(config: Config): Probe {
  const opening = openReader(config);
  opening.reader?.close();
  const missing = [...opening.failures, ...opening.refusals];
  const reasons = missing.map(({ reason }) => reason);
  const remedies = new Map(
    missing.flatMap((refusal) => refusal.remedies.map((remedy) => [remedy.command, remedy])),
  );
  return {
    available: opening.reader !== undefined,
    found: [...describeOpening(opening), ...opening.notes, ...reasons].join('; '),
    remedies: [...remedies.values()],
  };
}

function describeOpening({ reader, hasCounted, discovery }: Opening): readonly string[] {
  if (reader === undefined) return [];
  const domains = reader.domains.filter((_, column) => hasCounted[column]);
  const copies = reader.interface === 'powercap' ? describeCopies(discovery.found.zones) : [];
  return [
    describeDomains({ interface: reader.interface, domains }),
    ...copies,
    ...describeTwins(reader.places),
  ];
}

/** Names counters that may be identical and are not moving. */
function describeTwins(places: readonly CounterPlace[]): readonly string[] {
  return findTwins(places).flatMap((columns) => {
    const ones = columns.map((column) => elementAt(places, column));
    const twins = new Twins(ones.map(({ path }) => path));
    twins.settle(readEnergy);
    const names = ones.map(({ domain, source }) => `${nameDomain(domain)} (${source})`);
    return twins.verdict === 'unknown' ? [describeUndecided(names)] : [];
  });
}
