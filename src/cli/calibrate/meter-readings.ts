import type { PowerPair } from '../../energy/calibration.js';
import { EnergyCurve } from '../../energy/energy-curve.js';
import { isPlatform } from '../../model/energy-domain.js';
import { createPlans, findOrAdd } from '../../model/plan.js';
import { ATTR_ENERGY_METHOD, ATTR_HW_ID, ATTR_HW_NAME } from '../../model/semantic-conventions.js';
import type { Series } from '../../model/series.js';
import { hostEnergy, hwEnergy, isMeasuredHost, meterEnergy } from '../../model/shared-metrics.js';
import type { Table } from '../../model/table.js';

/** A point is the mean of at least this many refreshes of the meter. */
const minRefreshes = 3;
/** A phase is divided into at most this many points. */
const maxPoints = 20;

/** An energy counter. */
export interface Meter {
  readonly id: string;
  readonly name: string;
  readonly metric: string;
}

/** Readings of one phase. */
export interface PhaseReadings {
  readonly pairs: readonly PowerPair[];
  /** Learned time between two changes of the meter, in seconds; 0: every reading changed. */
  readonly refreshSeconds: number;
}

/** The counters of a meter in the current phase, in order; only a phase with a single counter can be used. */
interface Reader {
  readonly meter: Meter;
  series: Series;
  curve: EnergyCurve;
  isBroken: boolean;
}

/** The readings of all measured energy counters, by phase. */
export class MeterReadings {
  readonly #sensors = new Map<string, Reader>();
  readonly #meters = new Map<string, Reader>();
  #origin: bigint | undefined;
  readonly #planOf = createPlans((series: readonly Series[]) => ({
    columns: series.flatMap((one, index) => {
      const reader = this.#readerOf(one);
      return reader ? [{ index, series: one, reader }] : [];
    }),
  }));

  /** The sensors within the machine, which are added up. */
  get sensors(): readonly Meter[] {
    return [...this.#sensors.values()].map(({ meter }) => meter);
  }

  /** The meters that can be compared with the sensors. */
  get meters(): readonly Meter[] {
    return [...this.#meters.values()].map(({ meter }) => meter);
  }

  take({ series, epoch, offsets, values }: Table): void {
    this.#origin ??= epoch;
    const shiftNs = Number(epoch - this.#origin);
    const { columns } = this.#planOf(series);
    for (const [row, offset] of offsets.entries()) {
      for (const { index, series: one, reader } of columns) {
        readInto(reader, one, [shiftNs + offset, values[row * series.length + index] ?? NaN]);
      }
    }
  }

  /** Starts another phase. */
  beginPhase(): void {
    for (const reader of [...this.#sensors.values(), ...this.#meters.values()]) {
      reader.curve = new EnergyCurve();
      reader.isBroken = false;
    }
  }

  /** The phase so far: the power of a meter and of all sensors together, between changes of the meter. */
  readPhase({ id }: Meter, phaseMs: number): PhaseReadings {
    const meter = this.#meters.get(id);
    const sensors = [...this.#sensors.values()];
    if (meter === undefined) return { pairs: [], refreshSeconds: 0 };
    const refreshSeconds = meter.curve.refreshNs / 1e9;
    const isBroken = [meter, ...sensors].some((reader) => reader.isBroken);
    const minNs = Math.max(minRefreshes * meter.curve.refreshNs, (phaseMs * 1e6) / maxPoints);
    const pairs = isBroken
      ? []
      : pairsOf(
          meter.curve,
          sensors.map(({ curve }) => curve),
          minNs,
        );
    return { pairs, refreshSeconds };
  }

  #readerOf(series: Series): Reader | undefined {
    const known = roleOf(series);
    if (known === undefined) return undefined;
    const meter = describe(series);
    const readers = known === 'sensor' ? this.#sensors : this.#meters;
    return findOrAdd(readers, meter.id, () => ({ meter, series, curve: new EnergyCurve(), isBroken: false }));
  }
}

function roleOf(series: Series): 'sensor' | 'meter' | undefined {
  const { metric, attributes } = series;
  if (attributes[ATTR_ENERGY_METHOD] === 'estimated') return undefined;
  if (metric.name === hwEnergy.name) return 'sensor';
  const isContainer = isMeasuredHost(series) || isPlatform(series);
  return isContainer || metric.name === meterEnergy.name ? 'meter' : undefined;
}

function describe({ metric, attributes }: Series): Meter {
  const id = String(attributes[ATTR_HW_ID] ?? metric.name);
  return { id, name: String(attributes[ATTR_HW_NAME] ?? id), metric: metric.name };
}

/** Whether a meter is that of the whole host, which is calibrated by default. */
export function isOfHost({ metric }: Meter): boolean {
  return metric === hostEnergy.name;
}

function readInto(reader: Reader, series: Series, [at, joules]: readonly [number, number]): void {
  if (Number.isNaN(joules)) return;
  if (series !== reader.series) {
    reader.series = series;
    reader.isBroken = true;
  }
  if (!reader.curve.read(Float64Array.of(at, Math.round(joules * 1e9)), false)) reader.isBroken = true;
}

/** Windows of at least a given length between changes of the meter in which all sensors are known, too. */
function pairsOf(meter: EnergyCurve, sensors: readonly EnergyCurve[], minNs: number): readonly PowerPair[] {
  const from = Math.max(...[meter, ...sensors].map(({ firstAt }) => firstAt));
  const end = Math.min(...[meter, ...sensors].map(({ lastAt }) => lastAt));
  const pairs: PowerPair[] = [];
  let at = meter.findKnotAfter(from - 1);
  for (
    let next = meter.findKnotAfter(at + minNs - 1);
    next <= end;
    next = meter.findKnotAfter(at + minNs - 1)
  ) {
    // Nanojoules per nanosecond are watts.
    const wattsOf = (curve: EnergyCurve) => (curve.energyNjAt(next) - curve.energyNjAt(at)) / (next - at);
    pairs.push({ sensors: sensors.reduce((sum, curve) => sum + wattsOf(curve), 0), meter: wattsOf(meter) });
    at = next;
  }
  return pairs;
}
