import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { factory } from '../processors/attribution/factory.js';
import type { ConsumingComponent } from '../src/component/component.js';
import { createFakeContext } from '../src/component/fakes.js';
import { parseSettings } from '../src/config/settings.js';
import { CpuClock } from '../src/linux/clocks.js';
import type { Metric, Resource, Series } from '../src/model/series.js';
import { hwEnergy } from '../src/model/shared-metrics.js';
import { busyTime, memoryTraffic, memoryTrafficMember, processCpuTime } from '../src/model/usage-metrics.js';
import { compare, median, type Benchmark, type Result } from './benchmark.js';

const rounds = 9;
const workloads = 300;
const windowNs = 1e6;
const windowsPerTable = 100;
const tablesPerRound = 20;
/** Few enough that no window is dropped from the queue. */
const auditedTables = 2;
const epoch = 1_795_000_000_000_000_000n;
const host: Resource = { attributes: { 'host.name': 'node-1' } };

/** A window of the ledger at 1 kHz with two domains and 300 workloads, against reading the CPU time of all of them. */
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
    return [
      ...sides.map(({ busy, ours }) => {
        const what = `Window of ${workloads} workloads, ${busy} of them busy, against a read of each`;
        return compare(what, 'us', { ours: median(ours), reference: median(reads) }, 2.5);
      }),
      measureCounts(),
      ...(await measureAudit()),
    ];
  },
};

/** The ledger with audit sheets against the ledger without, alternately; and the cost of writing them afterwards. */
async function measureAudit(): Promise<readonly Result[]> {
  const folder = mkdtempSync(join(tmpdir(), 'joulemetry-bench-'));
  const [ours, reference, writing]: number[][] = [[], [], []];
  for (let round = -2; round < rounds; round++) {
    const audited = new Machine(workloads, { audit: { path: join(folder, `${round}`), max_backups: 0 } });
    const plain = new Machine(workloads);
    const [auditedUs, plainUs] = [audited.play(auditedTables), plain.play(auditedTables)];
    const writingUs = await audited.finish();
    if (round < 0) continue;
    ours.push(auditedUs);
    reference.push(plainUs);
    writing.push(writingUs / (auditedTables * windowsPerTable));
  }
  rmSync(folder, { recursive: true });
  const what = `Window of ${workloads} workloads, all busy, two domains`;
  return [
    compare(`${what}: with audit, against without`, 'us', {
      ours: median(ours),
      reference: median(reference),
    }),
    compare(`${what}: writing its sheets, beside the ledger`, 'us', {
      ours: median(writing),
      reference: undefined,
    }),
  ];
}

/** The ledger that weights by cycles and memory traffic against the ledger that weights by time, alternately. */
function measureCounts(): Result {
  const counted = new Machine(
    workloads,
    { weights: [{ hw_type: 'cpu', model: 'frequency_cpu_time' }] },
    true,
  );
  const plain = new Machine(workloads);
  const [ours, reference]: number[][] = [[], []];
  for (let round = -2; round < rounds; round++) {
    const [countedUs, plainUs] = [counted.play(tablesPerRound), plain.play(tablesPerRound)];
    if (round < 0) continue;
    ours.push(countedUs);
    reference.push(plainUs);
  }
  const what = `Window of ${workloads} workloads, all busy: by cycles of each and memory traffic of 20 groups, against by time`;
  return compare(what, 'us', { ours: median(ours), reference: median(reference) });
}

/** Tables with a value in every row, and the processor that takes them. */
class Machine {
  readonly #busy: number;
  readonly #series: readonly Series[];
  readonly #usedS = new Float64Array(workloads);
  readonly #processor: ConsumingComponent;
  #windows = 0;

  /** @param isCounted whether each row also has cycles and memory traffic */
  constructor(busy: number, others: object = {}, isCounted = false) {
    this.#busy = busy;
    this.#series = [...createSeries(), ...(isCounted ? createCounts() : [])];
    const settings = parseSettings(factory.schema, { cpu_count: 2, floor: [{ power: 5 }], ...others });
    this.#processor = factory.create(settings, createFakeContext(), { consume: () => true });
    void this.#processor.start();
  }

  /** @returns CPU microseconds until everything is written */
  async finish(): Promise<number> {
    const before = process.cpuUsage();
    await this.#processor.shutdown();
    const { user, system } = process.cpuUsage(before);
    return user + system;
  }

  /** @returns CPU microseconds per window, without the creation of the tables */
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
    const counts = at + workloads + 3;
    const end = at + this.#series.length;
    for (let i = 0; counts + i < end; i++) values[counts + i] = (1e6 + 1000 * i) * this.#windows;
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

/** Members of 20 groups, their traffic, and cycles. The counts of the machine come last: they are the largest. */
function createCounts(): Series[] {
  const groups = Array.from({ length: 20 }, (_, i) => `/mon_groups/${i}`);
  const event = { ...memoryTraffic, name: 'perf.event.count', unit: '{event}' };
  const ofEvent = { 'perf.event.name': 'cycles' };
  const each = Array.from({ length: workloads }, (_, pid) => {
    const attributes = { 'process.pid': pid, 'process.linux.cgroup': `/service-${pid % 20}` };
    const group = groups[pid % groups.length];
    return [
      createCounter(event, { attributes }, ofEvent),
      createCounter(memoryTrafficMember, host, { 'linux.resctrl.group': group, 'process.pid': pid }),
    ];
  });
  const traffic = ['/', ...groups].map((group) =>
    createCounter(memoryTraffic, host, { 'linux.resctrl.group': group, 'cpu.package': 0 }),
  );
  return [...each.flat(), ...traffic, createCounter(event, host, ofEvent)];
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
