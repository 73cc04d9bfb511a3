import assert from 'node:assert/strict';
import { raplEnergy } from '../../src/model/energy-domain.js';
import type { Attributes, Series } from '../../src/model/series.js';
import { hostEnergy } from '../../src/model/shared-metrics.js';
import { Rig, RigProcess } from './rig.fixture.js';

export const measured = { 'energy.method': 'measured' };

/**
 * A machine with a package, its memory and a meter of the whole host. The package alternates between 40 W and
 * 100 W every 2 s, the memory has 10 W, and the host adds losses of a fifth of both to the 30 W of its fans and
 * disks. One of two processes used three quarters of the CPU time.
 */
export class HostMachine {
  rig: Rig;
  readonly cpu: Series;
  readonly memory: Series;
  readonly host: Series;
  /** Further meters, each with its joules as a function of seconds. They are read before the meter of the host. */
  readonly others: [meter: Series, joulesAt: (atS: number) => number][] = [];
  readonly #settings: object;
  readonly #processes = [1, 2].map((pid) => new RigProcess({ 'process.pid': pid }, 0));

  constructor(settings: object = {}, cpu: Attributes = measured) {
    this.#settings = { cpu_count: 1, process_metrics: 'all', ...settings };
    this.rig = new Rig(this.#settings);
    this.cpu = this.rig.createMeter(cpu);
    this.memory = this.rig.createMeter({ ...measured, 'hw.type': 'memory', 'hw.id': 'dram-0' });
    const host = { ...measured, 'hw.type': 'host', 'hw.id': 'bmc' };
    this.host = { ...this.rig.createMeter(host), metric: hostEnergy };
  }

  /** Replaces the processor, while the meters continue. */
  async replace(): Promise<void> {
    await this.rig.processor.shutdown();
    this.rig = new Rig(this.#settings);
  }

  cpuJoules(atS: number): number {
    return 40 * atS + 60 * (2 * Math.floor(atS / 4) + Math.max(0, (atS % 4) - 2));
  }

  /** @param lagS how far the host's meter lags behind, in seconds */
  hostJoules(atS: number, lagS = 0): number {
    const thenS = Math.max(0, atS - lagS);
    return 1.2 * (this.cpuJoules(thenS) + 10 * thenS) + 30 * thenS;
  }

  /** Adds the meter of a platform. */
  addPlatform(joulesAt: (atS: number) => number, id = 'psys'): Series {
    const attributes = { ...measured, 'rapl.domain': 'psys', 'hw.id': id };
    const psys = { ...this.rig.createMeter(), metric: raplEnergy, attributes };
    this.others.push([psys, joulesAt]);
    return psys;
  }

  play(toS: number, { fromS = 0, lagS = 0, stepS = 1, isCpuRead = true, isHostRead = true } = {}): void {
    for (let atS = fromS; atS <= toS; atS += stepS) {
      if (isCpuRead) this.rig.energy(this.cpu, atS, this.cpuJoules(atS));
      this.rig.energy(this.memory, atS, 10 * atS);
      for (const [meter, joulesAt] of this.others) this.rig.energy(meter, atS, joulesAt(atS));
      if (isHostRead) this.rig.energy(this.host, atS, this.hostJoules(atS, lagS));
      this.#playUsage(atS);
    }
  }

  /**
   * Joules of all remainders, by the pid of a process or by part or reason; with an id, of one remainder,
   * without processes.
   */
  remainder(id?: string): Record<string, number> {
    if (id !== undefined)
      return this.#parts((one) => isRemainder(one) && one.series.attributes['hw.id'] === id);
    const own = this.rig.out.last('process.energy').filter(isRemainder);
    const pids = own.map(({ series, value }) => [String(series.resource.attributes['process.pid']), value]);
    return { ...this.#parts(isRemainder), ...Object.fromEntries(pids) };
  }

  /** Total energy in the ledger, of all domains. */
  sum(): number {
    return this.rig.out.last('ledger.energy').reduce((sum, { value }) => sum + value, 0);
  }

  #parts(isOwn: typeof isRemainder): Record<string, number> {
    const own = this.rig.out.last('ledger.energy').filter(isOwn);
    return Object.fromEntries(
      own.map(({ series: { attributes }, value }) => [
        String(attributes['ledger.reason'] ?? attributes['ledger.part']),
        value,
      ]),
    );
  }

  #playUsage(atS: number): void {
    const [first, second] = this.#processes;
    if (first && second) {
      this.rig.usage(atS, [
        [first, 0.75 * atS],
        [second, 0.25 * atS],
      ]);
    }
    this.rig.boundary(atS, atS);
  }
}

function isRemainder({ series }: { readonly series: Series }): boolean {
  return series.attributes['hw.type'] === 'remainder';
}

export function assertNear(actual: number | undefined, expected: number, tolerance: number): void {
  assert.ok(Math.abs((actual ?? NaN) - expected) <= tolerance, `expected ${expected}, found ${actual}`);
}
