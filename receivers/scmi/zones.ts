import { readFile } from 'node:fs/promises';
import { describeCode, findErrorCode } from '../../src/errors.js';
import { findNames, findText } from '../../src/linux/sysfs.js';
import type { MeterReading } from '../../src/scraping/meter-reading.js';
import type { RemoteMeter } from '../../src/scraping/meter-receiver.js';
import { PoolShare } from '../../src/scraping/pool-share.js';
import { waitBriefly } from '../../src/scraping/wait-briefly.js';

/** The control type of drivers/powercap/arm_scmi_powercap.c; its zones are `arm-scmi:0`, `arm-scmi:0:1`. */
const zonePattern = /^arm-scmi(?::\d+)+$/u;
/** 400 kW: above any power that one meter can measure. */
const maxMicrowatts = 4e11;

/** A power domain of the firmware. */
interface Zone {
  readonly id: string;
  /** The name in the firmware. */
  readonly name: string | undefined;
  readonly path: string;
}

/** The folder with the zones of all control types. */
export function zoneFolder(sysfs: string): string {
  return `${sysfs}/class/powercap`;
}

/** The zones of SCMI, whether or not the firmware measures them. */
export function findZones(sysfs: string): readonly Zone[] {
  const ids = findNames(zoneFolder(sysfs)).filter((name) => zonePattern.test(name));
  return ids
    .toSorted((a, b) => a.localeCompare(b, 'en', { numeric: true }))
    .map((id) => {
      const path = `${zoneFolder(sysfs)}/${id}`;
      return { id, name: findText(`${path}/name`), path };
    });
}

/** A zone that does not respond within this time has a gap, and does not delay others. */
const answerMs = 1000;

/**
 * The zones as a meter. Each reading queries the firmware, which may take milliseconds: files are read on
 * Node's thread pool.
 */
export function openZones(sysfs: string): RemoteMeter {
  const pending = new Map<string, Promise<void>>();
  const pool = new PoolShare();
  return {
    name: `SCMI power domains in ${zoneFolder(sysfs)}`,
    async ask() {
      const zones = findZones(sysfs);
      if (zones.length === 0) throw new Error('expected zones of arm-scmi, found none');
      const results = await readZones(zones, pending, pool);
      const readings = results.flatMap(({ reading }) => reading ?? []);
      const problems = results.flatMap(({ problem }) => problem ?? []);
      if (readings.every(({ watts }) => Number.isNaN(watts)))
        throw new Error(problems.join('; ') || describeUnmeasured(zones));
      const ids = new Set(readings.map(({ id }) => id));
      return { readings: readings.map((one) => addContainer(one, ids)), problems };
    },
  };
}

/** @param pending unanswered earlier queries by path, which are not repeated */
async function readZones(
  zones: readonly Zone[],
  pending: Map<string, Promise<void>>,
  pool: PoolShare,
): Promise<readonly ZoneResult[]> {
  const results = new Map<Zone, ZoneResult>();
  const read = async (zone: Zone): Promise<void> => {
    results.set(zone, await pool.run(() => readZone(zone)));
    pending.delete(zone.path);
  };
  const asked = zones.filter(({ path }) => !pending.has(path)).map((zone) => ({ zone, reading: read(zone) }));
  for (const { zone, reading } of asked) pending.set(zone.path, reading);
  await waitBriefly(
    asked.map(({ reading }) => reading),
    answerMs,
  );
  return zones.map((zone) => results.get(zone) ?? describeSilence(zone));
}

function describeSilence({ id, name, path }: Zone): ZoneResult {
  const reading = { id, type: 'power_domain', name, watts: NaN };
  return { reading, problem: `${path}/power_uw: expected an answer within ${answerMs} ms, found none` };
}

function describeUnmeasured(zones: readonly Zone[]): string {
  const ids = zones.map(({ id }) => id).join(', ');
  return `expected the power of ${ids}, found zones that can only be limited (EINVAL)`;
}

function addContainer(reading: MeterReading, ids: ReadonlySet<string>): MeterReading {
  return { ...reading, parent: findContainer(reading.id, ids) };
}

/** The nearest enclosing zone that is measured. */
function findContainer(id: string, ids: ReadonlySet<string>): string | undefined {
  const above = id.slice(0, id.lastIndexOf(':'));
  if (!above.includes(':')) return undefined;
  return ids.has(above) ? above : findContainer(above, ids);
}

interface ZoneResult {
  /** Undefined: the firmware does not measure this zone. */
  readonly reading?: MeterReading;
  readonly problem?: string;
}

async function readZone({ id, name, path }: Zone): Promise<ZoneResult> {
  const found = { id, type: 'power_domain', name };
  const file = `${path}/power_uw`;
  try {
    const text = await readFile(file, 'latin1');
    const windowMs = await findWindow(path);
    const microwatts = parseMicrowatts(text);
    const problem = Number.isNaN(microwatts) ? `${file}: expected microwatts, found none` : undefined;
    return { reading: { ...found, watts: microwatts / 1e6, windowMs }, ...(problem && { problem }) };
  } catch (error) {
    // The domain can only be limited, not measured.
    if (findErrorCode(error) === 'EINVAL') return {};
    return { reading: { ...found, watts: NaN }, problem: `${file}: ${describeCode(error)}` };
  }
}

/** The averaging window of the power, in milliseconds. */
async function findWindow(path: string): Promise<number | undefined> {
  const text = await readFile(`${path}/constraint_0_time_window_us`, 'latin1').catch(() => '');
  const microseconds = Number(text);
  return microseconds > 0 ? microseconds / 1000 : undefined;
}

/** Parses a power. An incomplete or malformed reading is NaN, a gap. */
export function parseMicrowatts(text: string): number {
  const microwatts = /^\d+\n$/u.test(text) ? Number(text) : NaN;
  return microwatts <= maxMicrowatts ? microwatts : NaN;
}
