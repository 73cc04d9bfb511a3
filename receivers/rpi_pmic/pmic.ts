import type { MeterReading } from '../../src/scraping/meter-reading.js';
import type { MeterAnswer, RemoteMeter } from '../../src/scraping/meter-receiver.js';

/** Sends requests to the firmware. */
export interface AdcSource {
  read(): Promise<string>;
  close(): Promise<void>;
}

/** The PMIC's measurements of a rail. */
interface Rail {
  volts?: number;
  amperes?: number;
}

/** More than the board can have: a greater value is garbage. */
const maxVolts = 30;
const maxAmperes = 30;

const pmic = 'pmic';

/** @param open called at the first reading, and at the next reading after a failure */
export function openPmic(open: () => Promise<AdcSource>): RemoteMeter {
  let source: AdcSource | undefined;
  /** Rails that had power before: unless all of them have power, that of the PMIC is unknown. */
  const measured = new Set<string>();
  return {
    name: 'the PMIC',
    async ask() {
      source ??= await open();
      return keepGaps(measured, parseAdc(await source.read()));
    },
    async close() {
      await source?.close();
    },
  };
}

/** A truncated answer lacks rails, so the sum of the others is not the power of the PMIC. */
function keepGaps(measured: Set<string>, readings: readonly MeterReading[]): MeterAnswer {
  const found = new Set(readings.filter(({ watts }) => watts !== undefined).map(({ id }) => id));
  for (const id of found) measured.add(id);
  const missing = [...measured].filter((id) => !found.has(id));
  if (missing.length === 0) return { readings };
  const others = readings.filter(({ id }) => id !== pmic && !missing.includes(id));
  const gaps = missing.map((id): MeterReading => {
    const name = id.slice(pmic.length + 1);
    return { id, type: 'power_rail', name, parent: pmic, watts: NaN };
  });
  return {
    readings: [{ id: pmic, type: 'module', watts: NaN }, ...gaps, ...others],
    problems: [`expected voltage and current of ${missing.join(', ')}, found none`],
  };
}

/**
 * The answer to `pmic_read_adc`: one line per channel, such as `VDD_CORE_A current(7)=2.16078000A` and
 * `VDD_CORE_V volt(15)=0.72078770V`. Rails with both have power, and the PMIC has their sum.
 * @throws Error if it is something else
 */
export function parseAdc(text: string): readonly MeterReading[] {
  const rails = new Map<string, Rail>();
  for (const [, name = '', , digits, unit] of text.matchAll(channelPattern)) {
    const rail = rails.get(name) ?? {};
    rails.set(name, rail);
    const value = Number(digits);
    if (unit === 'V' && value <= maxVolts) rail.volts = value;
    if (unit === 'A' && value <= maxAmperes) rail.amperes = value;
  }
  if (rails.size === 0) {
    throw new Error(`expected channels of the PMIC, found ${JSON.stringify(text.slice(0, 80))}`);
  }
  const parts = [...rails].map(([name, rail]) => describeRail(name, rail));
  const watts = parts.flatMap((part) => part.watts ?? []);
  const whole = { id: pmic, type: 'module', watts: watts.length > 0 ? watts.reduce((a, b) => a + b) : NaN };
  return [whole, ...parts];
}

const channelPattern = /^\s*(\S+)_([AV])\s+(?:current|volt)\(\d+\)=(\d+(?:\.\d+)?)([AV])\s*$/gmu;

function describeRail(name: string, { volts, amperes }: Rail): MeterReading {
  return {
    id: `${pmic}/${name}`,
    type: amperes === undefined ? 'voltage' : 'power_rail',
    name,
    parent: pmic,
    volts,
    amperes,
    watts: volts === undefined || amperes === undefined ? undefined : volts * amperes,
  };
}
