import type { CardFeature } from '../../src/gpu/card-reader.js';
import { addressOf, nameErrno } from '../../src/linux/libc.js';
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

const countBytes = 8;

/**
 * The utilization of an engine of a card, or its clock, from a counter of i915's PMU: the mean since the last
 * reading that succeeded.
 */
class EngineTime implements CardFeature {
  readonly columns: readonly string[];
  readonly #counter: Counter;
  readonly #fd: number;
  readonly #words = new BigUint64Array(1);
  readonly #address = addressOf(this.#words.buffer);
  #atNs = 0n;
  #count = NaN;

  constructor(counter: Counter, fd: number) {
    this.#counter = counter;
    this.#fd = fd;
    this.columns = [counter.column];
  }

  read(values: Float64Array, at: number): void {
    const nowNs = process.hrtime.bigint();
    const bytes = readPerfEvent(this.#fd, this.#address, countBytes);
    if (bytes !== countBytes) throw new Error(this.#describeFailure(bytes));
    const count = Number(this.#words[0]);
    const { scale, max } = this.#counter;
    values[at] = Math.min(((count - this.#count) / Number(nowNs - this.#atNs)) * scale, max);
    this.#atNs = nowNs;
    this.#count = count;
  }

  close(): void {
    closePerfEvent(this.#fd);
  }

  #describeFailure(bytes: number): string {
    const reason = bytes < 0 ? nameErrno() : `expected ${countBytes} bytes, found ${bytes}`;
    return `Cannot read ${this.#counter.event} of the PMU of i915: ${reason}`;
  }
}

/**
 * Opens the counters of a card.
 * @param hasColumn whether a column is already read in another way
 * @returns none if the driver has no PMU, or this process is not permitted to count
 */
export function bindI915Pmu(pmu: Pmu, hasColumn: (column: string) => boolean): readonly CardFeature[] {
  const wanted = listCounters(listAliases(pmu)).filter(({ column }) => !hasColumn(column));
  return wanted.flatMap((counter) => openCounter(pmu, counter));
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
function openCounter(pmu: Pmu, counter: Counter): readonly CardFeature[] {
  try {
    const { event: name } = counter;
    const { words } = encodePmuEvent(pmu, [{ name, value: undefined }]);
    const cpu = pmu.cpus?.[0] ?? 0;
    return [new EngineTime(counter, openPerfEvent({ name, type: pmu.type, config: words[0], pid: -1, cpu }))];
  } catch {
    // Without the permission to count, the rest of the card is still read.
    return [];
  }
}
