import { elementAt } from '../../src/element.js';
import { BookedEnergy } from '../../src/energy/booked-energy.js';
import type { Beginning } from '../../src/energy/energy-curve.js';
import type { CpuCount } from '../../src/energy/floor-learner.js';
import { findMeterFacts } from '../../src/energy/meter-facts.js';
import { identifyDomain } from '../../src/model/energy-domain.js';
import { findOrAdd } from '../../src/model/plan.js';
import {
  ATTR_ENERGY_METHOD,
  ATTR_HW_ID,
  ATTR_HW_PARENT,
  ATTR_HW_TYPE,
} from '../../src/model/semantic-conventions.js';
import { resourceKey, type Series } from '../../src/model/series.js';
import { remainderType } from '../../src/model/shared-metrics.js';
import { GpuUsage } from '../../src/usage/gpu-usage.js';
import { UsageTick, withoutWorkloads, type Usage } from '../../src/usage/usage.js';
import type { View } from '../../src/usage/view.js';
import type { Ended, SettledWindow, SheetOptions } from './audit-sheet.js';
import type { Config } from './config.js';
import { Containers, HostCounter, isContainer, type EnergyReader } from './containers.js';
import { Domain } from './domain.js';
import { createWeights } from './domain-weights.js';
import { createFloor, findCalibration, type Floor, type FloorSources } from './floor.js';
import { Hardware, type Model } from './hardware.js';
import { EnergyCounter, Meter } from './meter.js';
import { Split } from './split.js';
import { Uncertainty } from './uncertainty.js';

/** Maximum age and number of boundaries for which usage is kept before any domain is known. */
const maxEarlyNs = 10e9;
const maxEarly = 4096;

/** GPU time has the timestamps of the driver's samples: it does not lag behind by a tick of the CPUs' clock. */
const noTick = new UsageTick();

/** Dependencies of a ledger. */
export interface LedgerOptions extends FloorSources {
  /** Of the processor: a ledger continues those of earlier processors with the same id. */
  readonly id: string;
  readonly config: Config;
  readonly views: readonly View[];
  readonly cpuCount: CpuCount;
  readonly tick: UsageTick;
  /** Unix time in nanoseconds of time 0. */
  readonly epoch: bigint;
  /** Receives every settled window. */
  readonly audit?: (settled: SettledWindow) => void;
  /** Receives the workloads and groups that are in no later window. */
  readonly forget?: (ended: Ended) => void;
}

/** All domains, by kind of hardware, and the counters that feed them. */
export class Domains {
  readonly #options: LedgerOptions;
  /** Options common to all sheets. */
  readonly #sheets: SheetOptions;
  readonly #kinds = new Map<string, Hardware>();
  readonly #floors = new Map<string, Floor>();
  readonly #counters = new Map<Series, EnergyReader>();
  readonly #ended = new WeakSet<Series>();
  readonly #booked: BookedEnergy;
  readonly #containers: Containers;
  /**
   * The usage from before any domain was known. The first table of a meter may arrive some time after its
   * readings were taken, and a window may start at any boundary since then.
   */
  #early: Usage[] = [];
  #boundary = NaN;
  /** The GPUs whose users are known, by `hw.id`. */
  readonly #gpus = new Map<string, GpuUsage>();

  constructor(options: LedgerOptions) {
    this.#options = options;
    const { config, views, epoch, id } = options;
    this.#booked = new BookedEnergy(id, epoch);
    this.#sheets = { idle: config.idle, views, epoch };
    this.#containers = new Containers(id, this.#maxWindowNs, {
      open: (series, isFirst) => this.#openCounter(series, isFirst ? this.#findBeginning(series) : undefined),
      openRemainder: (series, container) =>
        this.#openCounter(series, container && this.#booked.findBooked(container, this.#maxWindowNs)),
    });
  }

  /** The domains of each kind of hardware and meter. */
  get kinds(): Iterable<Hardware> {
    return this.#kinds.values();
  }

  /** Receives the usage of CPUs up to a boundary. Hardware that it does not explain was used by unknown workloads. */
  push(usage: Usage): void {
    this.#boundary = usage.to;
    for (const hardware of this.#kinds.values()) {
      const own = hardware.model === 'gpu_time' ? { ...withoutWorkloads(usage), isQuiet: false } : usage;
      hardware.push(own.to, (domain) => (this.#isScanned(domain.series) ? undefined : domain.usageOf(own)));
    }
    if (this.#kinds.size === 0) this.#keepEarly(usage);
  }

  /** The users of the GPU that a series of GPU time belongs to, directly or through a MIG instance. */
  gpuOf({ attributes }: Series): GpuUsage {
    const id = attributes[ATTR_HW_PARENT] ?? attributes[ATTR_HW_ID];
    return findOrAdd(this.#gpus, String(id), () => new GpuUsage());
  }

  /** Receives the usage of the GPU that a series belongs to. */
  pushGpu(scan: Series, usage: Usage): void {
    const { hwId } = identifyDomain(scan);
    for (const { domains } of this.#kinds.values()) {
      for (const { series, meter } of domains) if (identifyDomain(series).hwId === hwId) meter.push(usage);
    }
  }

  /** Passes the usage from before any domain was known to the domains of the first table. */
  pushEarly(): void {
    if (this.#kinds.size === 0 || this.#early.length === 0) return;
    for (const usage of this.#early) this.push(usage);
    this.#early = [];
  }

  /** Whether settled energy waits for the next row. */
  get isLate(): boolean {
    for (const { isLate } of this.#kinds.values()) if (isLate) return true;
    return false;
  }

  /** Whether a counter begins before the previous one of its domain ended: the clock was set back. */
  get isSetBack(): boolean {
    for (const { isSetBack } of this.#kinds.values()) if (isSetBack) return true;
    return false;
  }

  /** Whether everything up to this boundary is settled and written to a row. */
  isDoneWith(boundary: number): boolean {
    const [first] = this.#early;
    const isEarly = first !== undefined && first.firstTo <= boundary;
    return !isEarly && [...this.#kinds.values()].every((hardware) => hardware.isDoneWith(boundary));
  }

  /** The receiver of an energy series' readings. A new series of a known domain is a new counter of it. */
  counterOf(series: Series): EnergyReader {
    if (this.#ended.has(series)) return late;
    return findOrAdd(this.#counters, series, () => {
      if (isContainer(series)) return this.#containers.createCounter(series);
      this.#containers.count(series, domainKey(series), 1);
      return this.#openCounter(series, this.#findBeginning(series), this.#findUsageStart(series));
    });
  }

  /** The receiver of a domain's idle power, as reported by its model. */
  floorOf(series: Series): Floor {
    return findOrAdd(this.#floors, domainKey(series), () => {
      // A quiet CPU does not imply that hardware independent of CPU time is idle.
      const isExplained = this.#modelOf(series) !== 'gpu_time' || this.#isScanned(series);
      return createFloor(series, isExplained, this.#options);
    });
  }

  /** An energy series has no further readings. */
  end(series: Series): void {
    this.#counters.get(series)?.close();
    this.#ended.add(series);
    if (this.#counters.delete(series) && !isContainer(series))
      this.#containers.count(series, domainKey(series), -1);
  }

  /** No table will follow. */
  finish(): void {
    for (const counter of this.#counters.values()) if (counter instanceof HostCounter) counter.finish();
    this.pushEarly();
  }

  /** No window will follow: a later ledger continues from here. */
  noteBooked(): void {
    for (const [series, { settled }] of this.#counters) {
      if (settled) this.#booked.note(series, settled);
    }
  }

  get #maxWindowNs(): number {
    return this.#options.config.max_window * 1e6;
  }

  /** Energy counted long before the ledger started was used by unknown workloads. */
  #findBeginning(series: Series): Beginning | undefined {
    return this.#booked.findBeginning(series, this.#maxWindowNs);
  }

  #openCounter(series: Series, beginning: Beginning | undefined, usageKnownSince = NaN): EnergyCounter {
    const hardware = this.#hardwareOf(series);
    const { meter } = hardware.domainOf(domainKey(series), () => this.#createDomain(series, hardware));
    const isExact = series.attributes[ATTR_ENERGY_METHOD] === 'estimated';
    return new EnergyCounter(meter, { isExact, beginning, usageKnownSince });
  }

  /** The last boundary up to which a new domain has missed the usage; NaN: it misses none. */
  #findUsageStart(series: Series): number {
    if (this.#isScanned(series)) return this.gpuOf(series).boundary;
    const isMissing = this.#early.length === 0 && this.#modelOf(series) === 'cpu_time';
    return isMissing ? this.#boundary : NaN;
  }

  #keepEarly(usage: Usage): void {
    this.#early.push(usage);
    const { to } = elementAt(this.#early, 0);
    if (this.#early.length > maxEarly || usage.to - to > maxEarlyNs) this.#early.shift();
  }

  #hardwareOf(series: Series): Hardware {
    const { attributes } = series;
    const method = attributes[ATTR_ENERGY_METHOD] ?? 'measured';
    const model = this.#modelOf(series);
    const hardware = findOrAdd(this.#kinds, `${attributes[ATTR_HW_TYPE]}\n${method}\n${model}`, () => {
      const own = {
        [ATTR_HW_TYPE]: attributes[ATTR_HW_TYPE] ?? '',
        [ATTR_ENERGY_METHOD]: method,
      };
      const { views, epoch } = this.#options;
      return new Hardware(own, { model, index: this.#kinds.size, views, epoch });
    });
    this.#moveRemainderLast();
    return hardware;
  }

  /** Domains are settled in the order of their kinds: the remainder of a host comes last. */
  #moveRemainderLast(): void {
    for (const [key, hardware] of this.#kinds) {
      if (hardware.attributes[ATTR_HW_TYPE] !== remainderType) continue;
      this.#kinds.delete(key);
      this.#kinds.set(key, hardware);
      return;
    }
  }

  #createDomain(series: Series, hardware: Hardware): Domain {
    const { config, tick, epoch, audit } = this.#options;
    const { idle } = config;
    const maxWindowNs = this.#maxWindowNs;
    const floor = this.floorOf(series);
    const isRemainder = hardware.model === 'domain_energy';
    const audited = { series, weights: hardware.model, options: this.#sheets };
    // A remainder is a difference of energies: there are no knots from which its windows could be recomputed.
    const ownTick = hardware.model === 'gpu_time' ? noTick : tick;
    const meter = new Meter(
      maxWindowNs,
      ownTick,
      audit !== undefined && !isRemainder,
      findMeterFacts(series),
    );
    const calibration = findCalibration(series, this.#options.calibrations);
    return new Domain(series, {
      split: new Split(idle),
      floor,
      uncertainty: new Uncertainty({
        hwType: identifyDomain(series).hwType,
        isEstimated: series.attributes[ATTR_ENERGY_METHOD] === 'estimated',
      }),
      meter: isRemainder
        ? this.#containers.createMeter(series, domainKey(series), {
            meter,
            floor,
            idle,
            maxWindowNs,
            calibration,
          })
        : meter,
      publication: hardware.publication,
      epoch,
      weights: createWeights(config, identifyDomain(series).hwType, hardware.model === 'cpu_time'),
      charge: (workload, energyNj, from, weight) => hardware.charge(workload, energyNj, from, weight),
      ...(audit && { audit: (settled) => audit({ ...settled, domain: audited }) }),
      settled: (window, parts, shares) =>
        this.#containers.settled(series, domainKey(series), { window, parts, shares }),
    });
  }

  /** Where the users of a GPU are known, they take precedence over CPU time, whatever the configuration. */
  #modelOf(series: Series): Model {
    if (series.attributes[ATTR_HW_TYPE] === remainderType) return 'domain_energy';
    const isExcluded = this.#options.config.cpu_time_excludes.includes(identifyDomain(series).hwType);
    return isExcluded || this.#isScanned(series) ? 'gpu_time' : 'cpu_time';
  }

  #isScanned(energy: Series): boolean {
    return this.#gpus.get(identifyDomain(energy).hwId)?.isScanned === true;
  }
}

/** Reads nothing: a late table of a counter that has ended must not end the one that has replaced it. */
const late: EnergyReader = { settled: undefined, read() {}, close() {} };

function domainKey(series: Series): string {
  const { hwType, hwId } = identifyDomain(series);
  return [resourceKey(series.resource), hwType, hwId, series.attributes[ATTR_ENERGY_METHOD]].join('\n');
}
