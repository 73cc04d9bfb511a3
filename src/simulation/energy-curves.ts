import { elementAt } from '../element.js';
import type { SimulatedDomain } from './machine-spec.js';
import type { SimulatedProcess } from './simulated-process.js';

const trimAt = 512;

/** A period in which the power of every domain is constant. */
interface Segment {
  readonly startUs: number;
  /** By domain: energy at the start. */
  readonly startNj: readonly bigint[];
  /** By domain: nanojoules per microsecond. */
  readonly slopes: Float64Array;
}

/** The energy of every domain as a piecewise linear curve, as far back as it is kept. */
export class EnergyCurves {
  readonly #domains: readonly SimulatedDomain[];
  readonly #keptUs: number;
  #segments: Segment[] = [];

  constructor(domains: readonly SimulatedDomain[], keptUs: number) {
    this.#domains = domains;
    this.#keptUs = keptUs;
  }

  /** From this instant on, these processes have their current power. */
  add(startUs: number, processes: readonly SimulatedProcess[]): void {
    const slopes = new Float64Array(this.#domains.length);
    for (const [i, domain] of this.#domains.entries()) {
      let slope = domain.floorMilliwatts;
      for (const process of processes) slope += process.slopeIn(domain);
      slopes[i] = slope;
    }
    const last = this.#segments.at(-1);
    const startNj = this.#domains.map((_, i) => (last === undefined ? 0n : energyOf(last, i, startUs)));
    this.#segments.push({ startUs, startNj, slopes });
    if (this.#segments.length % trimAt === 0) {
      this.#segments = this.#segments.filter((segment) => segment.startUs > startUs - this.#keptUs);
    }
  }

  /** The energy of a domain at an instant; undefined if it is no longer kept. */
  findNj(domain: number, us: number): bigint | undefined {
    const segment = this.#find(us);
    return us >= segment.startUs ? energyOf(segment, domain, us) : undefined;
  }

  /** Usually it is one of the last few. */
  #find(us: number): Segment {
    let index = this.#segments.length - 1;
    for (let looks = 0; looks < 16 && index > 0; looks++, index--) {
      const segment = elementAt(this.#segments, index);
      if (segment.startUs <= us) return segment;
    }
    return this.#search(us, index);
  }

  #search(us: number, lastIndex: number): Segment {
    let low = 0;
    let high = lastIndex;
    while (low < high) {
      const middle = Math.ceil((low + high) / 2);
      if (elementAt(this.#segments, middle).startUs <= us) low = middle;
      else high = middle - 1;
    }
    return elementAt(this.#segments, low);
  }
}

function energyOf({ startUs, startNj, slopes }: Segment, domain: number, us: number): bigint {
  return elementAt(startNj, domain) + BigInt(elementAt(slopes, domain) * (us - startUs));
}
