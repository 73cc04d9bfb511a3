import { factory } from '../processors/attribution/factory.js';
import type { ConsumingComponent } from '../src/component/component.js';
import { createFakeContext } from '../src/component/fakes.js';
import { parseSettings } from '../src/config/settings.js';
import { CpuClock } from '../src/linux/clocks.js';
import type { Metric, Resource, Series } from '../src/model/series.js';
import { busyTime, hwEnergy, processCpuTime } from '../src/model/shared-metrics.js';
import { compare, median, type Benchmark } from './benchmark.js';

const rounds = 9;
const workloads = 300;
const windowNs = 1e6;
const windowsPerTable = 100;
const tablesPerRound = 20;
const epoch = 1_795_000_000_000_000_000n;
const host: Resource = { attributes: { 'host.name': 'node-1' } };

/** A window of the ledger at 1 kHz with two domains and 300 workloads, against reading the usage of all of them. */
export const ledger: Benchmark = {
  name: 'ledger',
  async measure() {
    const sides = [10, workloads].map((busy) => ({ busy, machine: new Machine(busy), ours: [] as number[] }));
    const reads: number[] = [];
    for (const { machine } of sides) machine.play(2 * tablesPerRound);
    readClocks();
    for (let round = 0; round < rounds; round++) {
      for (const { machine, ours } of sides) ours.push(machine.play(tablesPerRound));
      reads.push(readClocks());
    }
    return sides.map(({ busy, ours }) => {
      const what = `Window of ${workloads} workloads, ${busy} of them busy, against a read of each`;
      return compare(what, 'us', { ours: median(ours), reference: median(reads) }, 2.5);
    });
  },
};

/** Tables with everything in each row, and the processor that takes them. */
class Machine {
  readonly #busy: number;
  readonly #series = createSeries();
  readonly #usedS = new Float64Array(workloads);
  readonly #processor: ConsumingComponent;
  #windows = 0;

  constructor(busy: number) {
    this.#busy = busy;
    const settings = parseSettings(factory.schema, { cpu_count: 2, floor: [{ power: 5 }] });
    this.#processor = factory.create(settings, createFakeContext(), { consume: () => true });
  }

  /** @returns CPU microseconds per window, the making of the tables not counted */
  play(tables: number): number {
    let spentUs = 0;
    for (let count = 0; count < tables; count++) {
      const table = this.#createTable();
      const before = process.cpuUsage();
      this.#processor.consume(table);
      const { user, system } = process.cpuUsage(before);
      spentUs += user + system;
    }
    return spentUs / (tables * windowsPerTable);
  }

  #createTable() {
    const values = new Float64Array(windowsPerTable * this.#series.length);
    const from = epoch + BigInt(this.#windows * windowNs);
    for (let row = 0; row < windowsPerTable; row++) this.#fillRow(values, row * this.#series.length);
    const offsets = Float64Array.from({ length: windowsPerTable }, (_, row) => row * windowNs);
    return { series: this.#series, epoch: from, offsets, values };
  }

  #fillRow(values: Float64Array, at: number): void {
    this.#windows += 1;
    for (let i = 0; i < this.#busy; i++) {
      this.#usedS[(7 * i + this.#windows) % workloads] += (2e-9 * windowNs) / this.#busy;
    }
    values.set(this.#usedS, at);
    values.set(
      [2.1e-3, 2e-2, 5e-3].map((growth) => growth * this.#windows),
      at + workloads,
    );
  }
}

function createCounter(metric: Metric, resource: Resource, attributes: Series['attributes']): Series {
  return { metric, resource, attributes, start: epoch };
}

function createSeries(): Series[] {
  const createDomain = (type: string, id: string) =>
    createCounter(hwEnergy, host, { 'hw.type': type, 'hw.id': id, 'energy.method': 'measured' });
  const processes = Array.from({ length: workloads }, (_, pid) => {
    const attributes = { 'process.pid': pid, 'process.linux.cgroup': `/service-${pid % 20}` };
    return createCounter(processCpuTime, { attributes }, { 'cpu.mode': 'user' });
  });
  return [
    ...processes,
    createCounter(busyTime, host, {}),
    createDomain('cpu', 'package-0'),
    createDomain('memory', 'dram-0'),
  ];
}

/** @returns CPU microseconds to read as many CPU clocks as there are workloads */
function readClocks(): number {
  const clock = new CpuClock();
  const times = 100;
  const before = process.cpuUsage();
  for (let count = 0; count < times; count++) {
    for (let i = 0; i < workloads; i++) clock.read(process.pid);
  }
  const { user, system } = process.cpuUsage(before);
  return (user + system) / times;
}
