import type { Series } from '../../src/model/series.js';
import type { Random } from '../../src/testing/random.fixture.js';
import type { Rig } from './rig.fixture.js';

interface Meter {
  series: Series;
  readonly refreshS: number;
  /** The energy counted, and the value shown. */
  joules: number;
  refreshedAtS: number;
  shownJ: number;
  /** The energy counted when its series started. */
  startJ: number;
  /** Number of scans for which its hardware is still missing. */
  missing: number;
}

/** Random meters of two packages and of memory: counters that are reset or wrap unnoticed, and readings that fail. */
export class RandomMeters {
  readonly #rig: Rig;
  readonly #random: Random;
  readonly #meters: readonly Meter[];

  /** @param random generator of the whole history, shared with the meters */
  constructor(rig: Rig, random: Random) {
    this.#rig = rig;
    this.#random = random;
    this.#meters = [
      this.#createMeter('cpu', 'package-0', 0.001),
      this.#createMeter('cpu', 'package-1', 0.9),
      this.#createMeter('memory', 'dram-0', 5),
    ];
  }

  /** Random events between two scans. */
  happen(atS: number): void {
    if (this.#random.chance(0.05)) this.#restartMeter(this.#random.pick(this.#meters), atS);
    if (this.#random.chance(0.03)) this.#wrap(this.#random.pick(this.#meters));
    if (this.#random.chance(0.03)) this.#remove(this.#random.pick(this.#meters), atS);
  }

  /** Starts new series of all meters. */
  restart(atS: number): void {
    for (const meter of this.#meters) this.#restartMeter(meter, atS);
  }

  /** Readings of the energy from one instant to another, up to three per meter. */
  read(fromS: number, toS: number): void {
    for (const meter of this.#meters) {
      if (meter.missing > 0) {
        this.#miss(meter, toS);
        continue;
      }
      const count = 1 + this.#random.whole(3);
      const stepS = (toS - fromS) / count;
      for (let i = 1; i <= count; i++) this.#readMeter(meter, fromS + i * stepS, stepS);
    }
  }

  #createMeter(hwType: string, hwId: string, refreshS: number): Meter {
    const attributes = { 'hw.type': hwType, 'hw.id': hwId, 'energy.method': 'measured' };
    const series = this.#rig.createMeter(attributes, 0);
    return { series, refreshS, joules: 0, refreshedAtS: 0, shownJ: 0, startJ: 0, missing: 0 };
  }

  #restartMeter(meter: Meter, atS: number): void {
    if (meter.missing > 0) return;
    if (this.#random.chance(0.8)) this.#rig.end(atS, meter.series);
    meter.series = this.#rig.createMeter(meter.series.attributes, atS);
    meter.startJ = meter.shownJ;
    // The clock may have been set back.
    meter.refreshedAtS = Math.min(meter.refreshedAtS, atS);
  }

  /** Its hardware is removed for some scans. */
  #remove(meter: Meter, atS: number): void {
    if (meter.missing > 0) return;
    this.#rig.end(atS, meter.series);
    meter.missing = 1 + this.#random.whole(5);
  }

  /** A scan without it, after which it may be added again. */
  #miss(meter: Meter, atS: number): void {
    meter.missing -= 1;
    if (meter.missing > 0) return;
    meter.series = this.#rig.createMeter(meter.series.attributes, atS);
    meter.startJ = meter.shownJ;
    meter.refreshedAtS = Math.min(meter.refreshedAtS, atS);
  }

  /** A wrap that the receiver missed: the value of the same series falls. */
  #wrap(meter: Meter): void {
    meter.startJ += (meter.shownJ - meter.startJ) * this.#random.fraction();
  }

  #readMeter(meter: Meter, atS: number, elapsedS: number): void {
    meter.joules += elapsedS * 30 * this.#random.fraction();
    if (atS - meter.refreshedAtS >= meter.refreshS) {
      meter.shownJ = meter.joules;
      meter.refreshedAtS = atS;
    }
    if (this.#random.chance(0.1)) return;
    this.#rig.energy(meter.series, atS, this.#random.chance(0.05) ? NaN : meter.shownJ - meter.startJ);
  }
}
