import assert from 'node:assert/strict';
import { rmSync } from 'node:fs';
import { test } from 'node:test';
import { schema } from '../receivers/rapl/config.js';
import { nameDomain, type Columns } from '../receivers/rapl/domain.js';
import { openRaplSampler } from '../receivers/rapl/sampler.js';
import { parseSettings } from '../src/config/settings.js';
import { createSensors } from '../src/simulation/energy-sensor.js';
import type { Fault } from '../src/simulation/fault.js';
import { createMachine } from '../src/simulation/machine.js';
import { createSpec } from '../src/simulation/machine-spec.js';
import { PowercapTree } from '../src/simulation/tree/powercap-tree.js';
import { createFolder } from '../src/testing/temporary-folder.fixture.js';

const second = 1_000_000;

/** Results of the rapl receiver for the files of a simulated machine. */
interface Course {
  readonly readings: number;
  readonly gaps: number;
  /** Number of series that it created. */
  readonly series: number;
  /** Maximum error of a reading, in counts of the sensor. */
  readonly worstUnits: number;
}

/** Reads the tree of a machine in simulated time, and compares each reading with the true value. */
function follow(root: string, faults: readonly Fault[], hertz: number, seconds: number): Course {
  const machine = createMachine(createSpec({ seed: 3, faults }));
  const sensors = new Map(createSensors(machine).map((sensor) => [sensor.domain.name, sensor]));
  const tree = new PowercapTree(root, [...sensors.values()]);
  let us = 0;
  tree.write(us);
  const config = parseSettings(schema, { sysfs: root, interface: 'powercap' });
  const sampler = openRaplSampler(config, () => us / 1000);
  const values = new Float64Array(sampler.width);
  const begins = new Map<number | undefined, bigint>();
  const course = { readings: 0, gaps: 0, worstUnits: 0 };
  const compare = (name: string, id: number | undefined, joules: number, ageMs: number) => {
    const sensor = sensors.get(name) ?? assert.fail(name);
    // A counter starts at 0 with its first reading; after a reset, with the first reading that shows the reset.
    const beginNj = begins.get(id) ?? sensor.shownNj(us - ageMs * 1_000);
    const nj = sensor.shownNj(us);
    begins.set(id, beginNj);
    course.readings++;
    course.worstUnits = Math.max(course.worstUnits, Math.abs(joules * 1e9 - Number(nj - beginNj)) / 61_035);
  };
  for (; us <= seconds * second; us += second / hertz) {
    machine.advance(us);
    // The files of a sleeping machine do not change, and are not read.
    if (machine.timeline.isSuspended(us)) continue;
    tree.write(us);
    sampler.read(values, 0);
    const { domains, agesMs } = sampler.columns as Columns;
    for (const [column, domain] of domains.entries()) {
      const joules = values[column] ?? NaN;
      if (Number.isNaN(joules)) course.gaps++;
      else compare(nameDomain(domain), sampler.columnIds?.[column], joules, agesMs[column] ?? 0);
    }
    if (us % second === 0) sampler.maintain?.();
  }
  sampler.close();
  tree.close();
  return { ...course, series: begins.size };
}

const fault = (kind: Fault['kind'], at: number, duration = 0, domain?: string): Fault => ({
  kind,
  atUs: at * second,
  forUs: duration * second,
  domain,
});

/** Faults, the number of counter resets that they cause, and whether readings are missing. */
const cases: Readonly<Record<string, readonly [faults: readonly Fault[], anew: number, hasGaps: boolean]>> = {
  'no fault': [[], 0, false],
  'a wrap': [[fault('wrap', 5.5)], 0, false],
  'a reset': [[fault('reset', 5.5, 0, 'package-0')], 1, true],
  'torn reads at a wrap': [[fault('torn', 4, 2), fault('wrap', 5.5)], 0, true],
  'reads that give nothing': [[fault('empty', 4, 3)], 0, true],
  'reads of one domain that fail': [[fault('failed', 4, 3, 'dram-0')], 0, true],
  'a slow meter': [[fault('slow', 0, 60)], 0, false],
  'domains that stand still for a while': [[fault('dead', 3, 4)], 0, false],
  'memory that goes and comes back': [[fault('hotplug', 3, 7, 'dram-0')], 1, true],
  // Its cores, its memory and its uncore part are removed and added with it.
  'a package that goes and comes back': [[fault('hotplug', 3, 7, 'package-1')], 4, true],
  'a machine that slept': [[fault('suspend', 3, 7)], 9, true],
};

for (const [name, [faults, anew, hasGaps]] of Object.entries(cases)) {
  for (const { hertz, seconds } of [
    { hertz: 1, seconds: 20 },
    { hertz: 100, seconds: 17 },
  ]) {
    test(`rapl is exact to a count on a simulated tree at ${hertz} Hz, with ${name}`, (t) => {
      const root = createFolder();
      t.after(() => rmSync(root, { recursive: true }));
      const { series, gaps, readings, worstUnits } = follow(root, faults, hertz, seconds);
      assert.deepEqual([series, gaps > 0], [9 + anew, hasGaps]);
      assert.ok(readings > 4 * seconds * hertz, `only ${readings} readings`);
      // A count at each end, of which truncation to microjoules removes up to 1 each.
      assert.ok(worstUnits < 1.04, `a reading is off by ${worstUnits} counts`);
    });
  }
}
