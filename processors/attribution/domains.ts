import { resourceKey } from '../../src/model/key.js';
import type { Series } from '../../src/model/series.js';
import type { Config } from './config.js';
import type { CpuCount } from './cpu-count.js';
import { Divider } from './division.js';
import { DomainFloor } from './domain-floor.js';
import { DomainLedger } from './domain-ledger.js';
import { DomainMeter } from './domain-meter.js';
import { EnergyMeter } from './energy-meter.js';
import type { FloorStore } from './floor-store.js';
import { HardwareLedger } from './hardware-ledger.js';
import type { Usage } from './usage.js';
import type { UsageTick } from './usage-tick.js';
import type { View } from './views.js';

/** What every ledger is made with. */
export interface LedgerTerms {
  readonly config: Config;
  readonly floors: FloorStore;
  readonly views: readonly View[];
  readonly cpuCount: CpuCount;
  readonly tick: UsageTick;
  /** Unix time in nanoseconds of time 0. */
  readonly epoch: bigint;
}

/** All domains, by their kind of hardware, and the meters that feed them. */
export class Domains {
  readonly #terms: LedgerTerms;
  readonly #ledgers = new Map<string, HardwareLedger>();
  readonly #floors = new Map<string, DomainFloor>();
  readonly #meters = new Map<Series, EnergyMeter>();

  constructor(terms: LedgerTerms) {
    this.#terms = terms;
  }

  get ledgers(): Iterable<HardwareLedger> {
    return this.#ledgers.values();
  }

  /** Whether any domain was ever seen. */
  get isKnown(): boolean {
    return this.#ledgers.size > 0;
  }

  /** Takes the usage up to a boundary. */
  push(usage: Usage): void {
    for (const ledger of this.#ledgers.values()) ledger.push(usage);
  }

  /** What takes the readings of an `hw.energy` series. A new series of a known domain is a new counter of it. */
  meterOf(series: Series): EnergyMeter {
    const known = this.#meters.get(series);
    if (known) return known;
    const ledger = this.#ledgerOf(series);
    const domain = ledger.findDomain(domainKey(series), () => this.#createDomain(series, ledger));
    const isExact = series.attributes['energy.method'] === 'estimated';
    const meter = new EnergyMeter(domain.meter, isExact, this.#findStart(series));
    this.#meters.set(series, meter);
    return meter;
  }

  /** What a counter held long before the ledger began is not known: nobody saw who used it. */
  #findStart({ start }: Series): number {
    const { epoch, config } = this.#terms;
    const at = Number(start - epoch);
    return at >= -config.max_window * 1e6 ? at : NaN;
  }

  /** What takes the floor that a domain's model says. */
  floorOf(series: Series): DomainFloor {
    const key = domainKey(series);
    const known = this.#floors.get(key);
    if (known) return known;
    const floor = this.#createFloor(series);
    this.#floors.set(key, floor);
    return floor;
  }

  /** An `hw.energy` series has no further reading. */
  end(series: Series): void {
    this.#meters.get(series)?.close();
    this.#meters.delete(series);
  }

  #ledgerOf({ attributes }: Series): HardwareLedger {
    const method = attributes['energy.method'] ?? 'measured';
    const key = `${attributes['hw.type']}\n${method}`;
    const known = this.#ledgers.get(key);
    if (known) return known;
    const own = {
      'hw.type': attributes['hw.type'] ?? '',
      'energy.method': method,
      'energy.attribution.model': 'cpu_time',
    };
    const { views, epoch } = this.#terms;
    const ledger = new HardwareLedger(own, { index: this.#ledgers.size, views, epoch });
    this.#ledgers.set(key, ledger);
    return ledger;
  }

  #createDomain(series: Series, ledger: HardwareLedger): DomainLedger {
    const { config, tick, epoch } = this.#terms;
    return new DomainLedger(series, {
      divider: new Divider(config.idle, this.#isExplained(series)),
      floor: this.floorOf(series),
      meter: new DomainMeter(config.max_window * 1e6, tick),
      publication: ledger.publication,
      epoch,
      charge: (consumer, energyNj, from) => ledger.charge(consumer, energyNj, from),
    });
  }

  #createFloor(series: Series): DomainFloor {
    const { hwType, hwId } = identify(series);
    const { config, floors } = this.#terms;
    const set = config.floor.find(
      ({ hw_type, hw_id }) => (hw_type ?? hwType) === hwType && (hw_id ?? hwId) === hwId,
    );
    // A model knows its floor, and a quiet CPU says nothing of hardware that CPU time does not explain.
    const isLearnable = series.attributes['energy.method'] !== 'estimated' && this.#isExplained(series);
    const learner = isLearnable ? floors.learnerOf(`${hwType}/${hwId}`) : undefined;
    return new DomainFloor(set?.power ?? undefined, learner);
  }

  #isExplained(series: Series): boolean {
    return !this.#terms.config.cpu_time_excludes.includes(identify(series).hwType);
  }
}

function identify({ attributes }: Series): { readonly hwType: string; readonly hwId: string } {
  return { hwType: String(attributes['hw.type'] ?? ''), hwId: String(attributes['hw.id'] ?? '') };
}

function domainKey(series: Series): string {
  const { hwType, hwId } = identify(series);
  return [resourceKey(series.resource), hwType, hwId, series.attributes['energy.method']].join('\n');
}
