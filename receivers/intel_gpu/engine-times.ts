import type { CardFeature } from '../../src/gpu/card-reader.js';
import { addressOf } from '../../src/linux/libc.js';
import { closePerfEvent, openPerfEvent, readPerfEvent } from '../../src/linux/perf/event.js';
import { encodePmuEvent, listAliases, type Pmu } from '../../src/linux/perf/pmu.js';

/** A counter of i915's PMU, for a column. */
interface Counter {
  readonly column: string;
  readonly event: string;
  /** Column units per count per nanosecond. */
  readonly scale: number;
  /** Maximum value, since the counter and the clock are read one after the other. */
  readonly max: number;
}

interface OpenCounter extends Counter {
  readonly fd: number;
  /** At the last reading. */
  count: number;
}

/**
 * The utilization of each engine of a card, and its clock, from the counters of i915's PMU: means since the
 * last reading.
 */
export class EngineTimes implements CardFeature {
  readonly columns: readonly string[];
  readonly #counters: readonly OpenCounter[];
  readonly #count = new BigUint64Array(1);
  readonly #address = addressOf(this.#count.buffer);
  #atNs = process.hrtime.bigint();

  private constructor(counters: readonly OpenCounter[]) {
    this.#counters = counters;
    this.columns = counters.map(({ column }) => column);
  }

  /**
   * Opens the counters of a card.
   * @param hasColumn whether a column is already read in another way
   * @returns none if the driver has no PMU, or this process is not permitted to count
   */
  static open(pmu: Pmu, hasColumn: (column: string) => boolean): readonly CardFeature[] {
    const wanted = listCounters(listAliases(pmu)).filter(({ column }) => !hasColumn(column));
    const counters = wanted.flatMap((counter) => openCounter(pmu, counter));
    return counters.length > 0 ? [new EngineTimes(counters)] : [];
  }

  read(values: Float64Array, at: number): void {
    const nowNs = process.hrtime.bigint();
    const ns = Number(nowNs - this.#atNs);
    this.#atNs = nowNs;
    this.#counters.forEach((counter, i) => {
      const isRead = readPerfEvent(counter.fd, this.#address, 8) === 8;
      const count = isRead ? Number(this.#count[0]) : NaN;
      const value = ((count - counter.count) / ns) * counter.scale;
      counter.count = count;
      values[at + i] = Math.min(value, counter.max);
    });
  }

  close(): void {
    for (const { fd } of this.#counters) closePerfEvent(fd);
  }
}

/** Busy nanoseconds of engines, and megahertz times seconds of the clock of each graphics tile. */
function listCounters(aliases: readonly string[]): readonly Counter[] {
  const domains: Readonly<Record<string, string>> = { '': 'graphics', '-gt0': 'graphics', '-gt1': 'media' };
  return aliases.flatMap((event): readonly Counter[] => {
    const [, engine] = /^(.+)-busy$/u.exec(event) ?? [];
    if (engine !== undefined) return [{ column: `utilization.${engine}`, event, scale: 1, max: 1 }];
    const clock = /^actual-frequency(-gt\d+)?$/u.exec(event);
    const domain = clock ? domains[clock[1] ?? ''] : undefined;
    return domain === undefined ? [] : [{ column: `clock.${domain}`, event, scale: 1e15, max: Infinity }];
  });
}

/** @returns none if it cannot be counted, or this process is not permitted to */
function openCounter(pmu: Pmu, counter: Counter): readonly OpenCounter[] {
  try {
    const { event: name } = counter;
    const { words } = encodePmuEvent(pmu, [{ name, value: undefined }]);
    const cpu = pmu.cpus?.[0] ?? 0;
    const fd = openPerfEvent({ name, type: pmu.type, config: words[0], pid: -1, cpu });
    return [{ ...counter, fd, count: NaN }];
  } catch {
    // Without the permission to count, the rest of the card is still read.
    return [];
  }
}
