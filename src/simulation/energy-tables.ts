import { elementAt } from '../element.js';
import { hardwareTypeOf } from '../model/energy-domain.js';
import { ATTR_ENERGY_METHOD, ATTR_HW_ID, ATTR_HW_NAME, ATTR_HW_TYPE } from '../model/semantic-conventions.js';
import type { Attributes, Resource, Series } from '../model/series.js';
import { hwEnergy } from '../model/shared-metrics.js';
import type { Table } from '../model/table.js';
import { createSensors, type EnergySensor } from './energy-sensor.js';
import type { Machine } from './machine.js';
import type { SimulatedDomain } from './machine-spec.js';

/**
 * Tables as forwarded by an energy receiver, with the exact energy of the sensors: NaN if a read fails, and
 * after a reset new series, in the table that ends the old ones.
 */
export class EnergyTables {
  readonly #machine: Machine;
  readonly #resource: Resource;
  readonly #epoch: bigint;
  readonly #sensors: readonly EnergySensor[];
  readonly #resets: readonly number[];
  #series: readonly Series[] = [];
  #bases: readonly bigint[] = [];
  #counted: bigint[] = [];
  /** By sensor: nanojoules of ended series. */
  #retired: bigint[];
  #lastUs = -1;

  /** @param epoch Unix time in nanoseconds of simulated time 0 */
  constructor(machine: Machine, resource: Resource, epoch: bigint) {
    this.#machine = machine;
    this.#resource = resource;
    this.#epoch = epoch;
    this.#sensors = createSensors(machine).filter(({ domain }) => hardwareTypeOf(domain) !== undefined);
    this.#resets = machine.spec.faults.filter(({ kind }) => kind === 'reset').map(({ atUs }) => atUs);
    this.#retired = this.#sensors.map(() => 0n);
  }

  /** Total joules of all series of a domain, by `hw.id`. */
  get joules(): ReadonlyMap<string, number> {
    return new Map(
      this.#sensors.map(({ domain }, i) => {
        const nj = elementAt(this.#retired, i) + elementAt(this.#counted, i);
        return [domain.name, Number(nj) / 1e9];
      }),
    );
  }

  /** Reads at these instants of simulated time, in whole microseconds, ascending. */
  *read(instants: readonly number[]): Iterable<Table> {
    let rows: number[] = [];
    for (const us of instants) {
      if (this.#isRestart(us)) {
        if (rows.length > 0) yield this.#readRows(rows);
        const ended = this.#series;
        this.#begin(us);
        yield { ...this.#readRows([us]), ...(ended.length > 0 && { ended }) };
        rows = [];
      } else rows.push(us);
      this.#lastUs = us;
    }
    if (rows.length > 0) yield this.#readRows(rows);
  }

  #isRestart(us: number): boolean {
    return this.#lastUs < 0 || this.#resets.some((atUs) => atUs > this.#lastUs && atUs <= us);
  }

  /** All series together, like those of a sampling thread. */
  #begin(us: number): void {
    const start = this.#at(us);
    this.#retired = this.#retired.map((nj, i) => nj + (this.#counted[i] ?? 0n));
    this.#counted = this.#sensors.map(() => 0n);
    this.#bases = this.#sensors.map((sensor) => sensor.shownNj(us));
    this.#series = this.#sensors.map(({ domain }) => {
      return { metric: hwEnergy, resource: this.#resource, attributes: describe(domain), start };
    });
  }

  #readRows(instants: readonly number[]): Table {
    const firstUs = elementAt(instants, 0);
    return {
      series: this.#series,
      epoch: this.#at(firstUs),
      offsets: Float64Array.from(instants, (us) => (us - firstUs) * 1000),
      values: Float64Array.from(instants.flatMap((us) => this.#readRow(us))),
    };
  }

  #readRow(us: number): number[] {
    this.#machine.advance(us);
    return this.#sensors.map((sensor, i) => {
      if (sensor.readText(us)?.endsWith('\n') !== true) return NaN;
      const countedNj = sensor.shownNj(us) - elementAt(this.#bases, i);
      this.#counted[i] = countedNj;
      return Number(countedNj) / 1e9;
    });
  }

  #at(us: number): bigint {
    return this.#epoch + BigInt(us) * 1000n;
  }
}

function describe(domain: SimulatedDomain): Attributes {
  const { name } = domain;
  const type = hardwareTypeOf(domain) ?? '';
  return { [ATTR_HW_TYPE]: type, [ATTR_HW_ID]: name, [ATTR_HW_NAME]: name, [ATTR_ENERGY_METHOD]: 'measured' };
}
