import { ModelledEnergy } from '../../src/energy/modelled-energy.js';
import { ATTR_HW_PARENT } from '../../src/model/semantic-conventions.js';
import type { Resource, Series } from '../../src/model/series.js';
import { floorPower, meterEnergy } from '../../src/model/shared-metrics.js';
import type { Hardware } from './hardware.js';
import type { Place } from './machine.js';

/** The estimated energy of one piece of hardware. */
export class Estimate {
  readonly hardware: Hardware;
  /** Its energy and, if that is attributed to workloads, its idle power. */
  readonly series: readonly Series[];
  readonly #place: Place;
  readonly #energy = new ModelledEnergy();
  #idleWatts = NaN;

  /** @param start Unix time in nanoseconds of the first reading */
  constructor(hardware: Hardware, resource: Resource, start: bigint) {
    this.hardware = hardware;
    this.#place = hardware.place();
    const { metric, parent } = this.#place;
    const attributes = { ...hardware.attributes, ...(parent !== undefined && { [ATTR_HW_PARENT]: parent }) };
    const metrics = metric === meterEnergy ? [metric] : [metric, floorPower];
    this.series = metrics.map((one) => ({ metric: one, resource, attributes, start }));
  }

  /** Whether the destination of its energy is still correct. */
  get isInPlace(): boolean {
    const { metric, parent } = this.hardware.place();
    return metric === this.#place.metric && parent === this.#place.parent;
  }

  /** The hardware was removed. */
  end(): void {
    this.hardware.whole?.removePart(this.hardware.key);
  }

  /** Idle power at the last reading; NaN: there was none. */
  get idleWatts(): number {
    return this.#idleWatts;
  }

  /**
   * @param reading the sum of its columns; NaN: none
   * @param atNs nanoseconds
   * @returns joules since the first reading; NaN: unknown
   */
  read(reading: number, atNs: number): number {
    const units = this.hardware.units();
    if (Number.isNaN(reading) || Number.isNaN(units)) return NaN;
    const model = this.hardware.model(reading);
    this.hardware.whole?.setPart(this.hardware.key, model.maxWatts);
    this.#idleWatts = model.idleWatts;
    this.#energy.hold(model, units);
    return this.#energy.update(reading * this.hardware.nsPerReading, atNs);
  }
}
