import type { Attributes, Meter, ObservableResult } from '@opentelemetry/api';
import type { InterfaceName } from './domain.js';

/** What becomes of a domain, or of a zone that shows it a second time. */
export interface DomainState {
  readonly domain: string;
  /** `intel-rapl:0`, `energy-pkg on cpu 0` */
  readonly source: string;
  /**
   * `unknown`: it has not counted anything yet. `foreign`: another receiver publishes it. `unreadable`: it cannot be
   * opened or read. `unusable`: its counter is reset all the time.
   */
  readonly state: 'read' | 'unknown' | 'dead' | 'copy' | 'foreign' | 'unreadable' | 'unusable';
}

/** On the collector's own telemetry: what is read where, and how often a counter began anew. Must be closed. */
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
      description: 'Energy counters that began anew while they were read: their energy in between is unknown',
    });
    this.#gauge = meter.createObservableGauge('joulemetry.rapl.domains', {
      unit: '{domain}',
      description: 'Energy domains that were found, by where they are read and what became of them',
    });
    this.#gauge.addCallback(this.#observe);
  }

  /** @param resets since the sampler was opened */
  update(interfaceName: InterfaceName, states: readonly DomainState[], resets: number): void {
    this.#states = states.map(({ domain, source, state }) => ({
      ...this.#attributes,
      'rapl.domain': domain,
      'energy.interface': interfaceName,
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
