import type { Attributes, Meter, ObservableResult } from '@opentelemetry/api';
import type { Log } from '../../src/component/log.js';
import { ATTR_ENERGY_INTERFACE, ATTR_RAPL_DOMAIN } from '../../src/model/semantic-conventions.js';
import type { CounterState } from './counter.js';
import {
  describeDomains,
  nameDomain,
  type Columns,
  type Domain,
  type InterfaceName,
  type LeftOut,
} from './domain.js';

/** State of a domain, or of another zone that shows it. */
export interface DomainState {
  readonly domain: string;
  /** `intel-rapl:0`, `energy-pkg on cpu 0` */
  readonly source: string;
  /**
   * `unknown`: it has not counted anything yet. `foreign`: another receiver publishes it. `unreadable`: it
   * cannot be opened or read. `unusable`: its counter is reset continually.
   */
  readonly state: 'read' | 'unknown' | 'dead' | 'copy' | 'foreign' | 'unreadable' | 'unusable';
}

/** The collector's own telemetry about the source of each domain and the number of counter resets. Must be closed. */
export class DomainTelemetry {
  readonly #attributes: Attributes;
  readonly #resets;
  readonly #gauge;
  #states: readonly Attributes[] = [];
  #counted = 0;

  constructor(meter: Meter, receiver: string) {
    this.#attributes = { receiver };
    this.#resets = meter.createCounter('joulemetry.rapl.resets', {
      unit: '{reset}',
      description:
        'Number of times that an energy counter was reset; the energy between the readings before and after it is unknown',
    });
    this.#gauge = meter.createObservableGauge('joulemetry.rapl.domains', {
      unit: '{domain}',
      description: 'Energy domains that were found, by source and state: always 1',
    });
    this.#gauge.addCallback(this.#observe);
  }

  /** @param resets since the sampler was opened */
  update(interfaceName: InterfaceName, states: readonly DomainState[], resets: number): void {
    this.#states = states.map(({ domain, source, state }) => ({
      ...this.#attributes,
      [ATTR_RAPL_DOMAIN]: domain,
      [ATTR_ENERGY_INTERFACE]: interfaceName,
      source,
      state,
    }));
    // Another sampler counts from 0.
    const added = resets >= this.#counted ? resets - this.#counted : resets;
    this.#counted = resets;
    if (added > 0) this.#resets.add(added, this.#attributes);
  }

  close(): void {
    this.#gauge.removeCallback(this.#observe);
  }

  readonly #observe = (result: ObservableResult): void => {
    for (const attributes of this.#states) result.observe(1, attributes);
  };
}

/** Notes about the counters for users, each logged once or when it changes. */
export class DomainLog {
  readonly #log: Log;
  readonly #logged = new Set<string>();
  #unusable: readonly string[] = [];
  #resets = 0;

  constructor(log: Log) {
    this.#log = log;
  }

  /** The sampler has new columns. */
  follow({ domains, resets, reset, notes, events, left }: Columns, states: readonly CounterState[]): void {
    if (resets > this.#resets) {
      const names = reset.map(nameDomain).join(' and ');
      this.#log.warn(`The energy counter of ${names} was reset: the energy used in between is unknown`);
    }
    this.#resets = resets;
    for (const note of notes) this.#once('warn', note);
    for (const { level, text } of events) this.#log[level](text);
    this.#followUnusable(left);
    const foreign = states.filter(({ owner }) => owner !== undefined);
    if (foreign.length > 0 && foreign.length < domains.length) {
      const names = foreign.map(({ domain, owner }) => `${nameDomain(domain)} by "${owner}"`);
      this.#once('warn', `Leaving out what another receiver publishes: ${names.join(', ')}`);
    }
  }

  /** The set of published domains has changed. */
  publish(name: InterfaceName, domains: readonly Domain[]): void {
    if (domains.length > 0) this.#once('info', `Reads ${describeDomains({ interface: name, domains })}`);
  }

  /** The first table did not show whether these are one counter. */
  leaveUndecided(texts: readonly string[]): void {
    for (const text of texts) this.#once('info', text);
  }

  /** Logs when counters start and stop to be reset continually. */
  #followUnusable(left: readonly LeftOut[]): void {
    const unusable = left
      .filter(({ state }) => state === 'unusable')
      .map(({ domain, source }) => `${nameDomain(domain)} (${source})`);
    for (const name of unusable.filter((one) => !this.#unusable.includes(one)))
      this.#log.warn(
        `${name} is unusable: its counter was reset more than 4 times within a minute; left out`,
      );
    for (const name of this.#unusable.filter((one) => !unusable.includes(one)))
      this.#log.info(`${name} is used again: its counter was not reset for a minute`);
    this.#unusable = unusable;
  }

  #once(level: 'info' | 'warn', message: string): void {
    if (this.#logged.has(message)) return;
    this.#logged.add(message);
    this.#log[level](message);
  }
}
