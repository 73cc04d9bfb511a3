import type { CardFeature } from '../../src/gpu/card-reader.js';
import type { Card } from '../../src/gpu/cards.js';
import { addressOf } from '../../src/linux/libc.js';
import { closePerfEvent, openPerfEvent, readPerfEvent } from '../../src/linux/perf/event.js';
import { encodePmuEvent, listAliases, listPmus, type Pmu } from '../../src/linux/perf/pmu.js';

interface Engine {
  /** `rcs0`. */
  readonly name: string;
  readonly fd: number;
  /** Nanoseconds at the last reading. */
  busyNs: number;
}

/** How busy each engine of a card is, by the counters of i915's PMU. */
export class EngineTimes implements CardFeature {
  readonly columns: readonly string[];
  readonly #engines: readonly Engine[];
  readonly #count = new BigUint64Array(1);
  readonly #address = addressOf(this.#count.buffer);
  #atNs = process.hrtime.bigint();

  private constructor(engines: readonly Engine[]) {
    this.#engines = engines;
    this.columns = engines.map(({ name }) => `utilization.${name}`);
  }

  /**
   * Opens the counters of a card.
   * @returns undefined where the driver has none, or this process may not count
   */
  static open(sysfs: string, card: Card): EngineTimes | undefined {
    const pmu = findPmu(sysfs, card);
    if (pmu === undefined) return undefined;
    const names = listAliases(pmu).flatMap((alias) => /^(.+)-busy$/u.exec(alias)?.[1] ?? []);
    const engines = names.flatMap((name) => openEngine(pmu, name) ?? []);
    return engines.length > 0 ? new EngineTimes(engines) : undefined;
  }

  read(values: Float64Array, at: number): void {
    const nowNs = process.hrtime.bigint();
    const ns = Number(nowNs - this.#atNs);
    this.#atNs = nowNs;
    this.#engines.forEach((engine, i) => {
      const isRead = readPerfEvent(engine.fd, this.#address, 8) === 8;
      const busyNs = isRead ? Number(this.#count[0]) : NaN;
      const share = (busyNs - engine.busyNs) / ns;
      engine.busyNs = busyNs;
      // The counter and the clock are read one after the other.
      values[at + i] = Math.min(share, 1);
    });
  }

  close(): void {
    for (const { fd } of this.#engines) closePerfEvent(fd);
  }
}

/** An integrated GPU's is `i915`, that of a card has its address behind it, without colons. */
function findPmu(sysfs: string, { driver, address }: Card): Pmu | undefined {
  const pmus = listPmus(sysfs);
  const own = `${driver}_${address.replaceAll(':', '_')}`;
  const isFirst = address === '0000:00:02.0';
  return (
    pmus.find(({ name }) => name === own) ?? (isFirst ? pmus.find(({ name }) => name === driver) : undefined)
  );
}

/** @returns undefined where the engine cannot be counted, or not by this process */
function openEngine(pmu: Pmu, name: string): Engine | undefined {
  try {
    const event = `${name}-busy`;
    const { words } = encodePmuEvent(pmu, [{ name: event, value: undefined }]);
    const cpu = pmu.cpus?.[0] ?? 0;
    const fd = openPerfEvent({ name: event, type: pmu.type, config: words[0], pid: -1, cpu });
    return { name, fd, busyNs: NaN };
  } catch {
    // Without the right to count, the rest of the card is read all the same.
    return undefined;
  }
}
