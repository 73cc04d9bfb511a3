import assert from 'node:assert/strict';
import { test } from 'node:test';
import { SimulatorSampler } from '../receivers/simulator/sampler.js';
import { createSensors } from '../src/simulation/energy-sensor.js';
import { createMachine } from '../src/simulation/machine.js';
import { createSpec, type MachineSpec } from '../src/simulation/machine-spec.js';
import { fc } from '../src/testing/fixed-seed.fixture.js';

const second = 1_000_000;

/** Results of a sampler that read a simulated machine. */
interface Course {
  /** Readings with a value, of all domains. */
  readonly readings: number;
  /** Readings without a value. */
  readonly gaps: number;
  /** Number of counter resets; simultaneous resets count once. */
  readonly generations: number;
  /** Maximum error of a reading, in counts of the sensor. */
  readonly worstUnits: number;
}

/** Reads a machine at a given rate in simulated time, and compares each reading with the true value. */
function follow(spec: MachineSpec, hertz: number, untilUs: number): Course {
  let us = 0;
  const sampler = new SimulatorSampler(spec, () => us);
  const machine = createMachine(spec);
  const sensors = createSensors(machine);
  const values = new Float64Array(sampler.width);
  const known = sensors.map(() => ({ us: -1, nj: 0n }));
  const shown = (column: number, atUs = us) => {
    const last = known[column] ?? assert.fail();
    const shownUs = sensors[column]?.shownUs(atUs) ?? assert.fail();
    if (last.us !== shownUs) Object.assign(last, { us: shownUs, nj: machine.energyNj(column, shownUs) });
    return last.nj;
  };
  const firstNj: (bigint | undefined)[] = [];
  let { columnIds } = sampler;
  const course = { readings: 0, gaps: 0, worstUnits: 0 };
  const periodUs = Math.round(1e6 / hertz);
  for (us = 0; us <= untilUs; us += periodUs) {
    if (machine.timeline.isSuspended(us)) continue;
    machine.advance(us);
    sampler.read(values, 0);
    for (const [column, id] of sampler.columnIds.entries()) {
      if (id !== columnIds[column]) firstNj[column] = undefined;
    }
    columnIds = sampler.columnIds;
    values.forEach((value, column) => {
      if (Number.isNaN(value)) {
        course.gaps++;
        return;
      }
      course.readings++;
      const ageUs = (sampler.columns.agesMs[column] ?? 0) * 1e3;
      const first = (firstNj[column] ??= shown(column, us - ageUs));
      const offNj = Math.abs(value * 1e9 - Number(shown(column) - first));
      course.worstUnits = Math.max(course.worstUnits, offNj / (machine.domains[column]?.unitNj ?? 1));
    });
  }
  return { ...course, generations: sampler.generation };
}

// Energy that no reading shows is lost: counters are reset then, and only then.
const isRestart = new Set(['a reset', 'a suspended machine']);

/**
 * Invariants under all faults: each reading is exact to a count and the rounding to microjoules, and the energy
 * of a gap is included after it.
 */
function assertExact(name: string, { worstUnits, readings, generations }: Course): void {
  assert.equal(generations, isRestart.has(name) ? 1 : 0);
  assert.ok(readings > 0, 'nothing was read');
  // A count at each end, of which truncation to microjoules removes up to 1 each.
  assert.ok(worstUnits < 1.04, `a reading is off by ${worstUnits} counts`);
}

const faults: Readonly<Record<string, Partial<MachineSpec>>> = {
  'no fault': {},
  'a wrap': { faults: [{ kind: 'wrap', atUs: 5.5 * second, forUs: 0 }] },
  'a reset': { faults: [{ kind: 'reset', atUs: 5.5 * second, forUs: 0, domain: 'package-0' }] },
  'torn reads': { faultShares: { torn: 0.05, failed: 0, empty: 0 } },
  'failed reads': { faultShares: { torn: 0, failed: 0.05, empty: 0 } },
  'empty reads': { faultShares: { torn: 0, failed: 0, empty: 0.05 } },
  'all of these at a wrap': {
    faults: [{ kind: 'wrap', atUs: 5.5 * second, forUs: 0 }],
    faultShares: { torn: 0.03, failed: 0.03, empty: 0.03 },
  },
  'a second of torn reads': { faults: [{ kind: 'torn', atUs: 4 * second, forUs: second }] },
  'seconds of failed reads': { faults: [{ kind: 'failed', atUs: 4 * second, forUs: 3 * second }] },
  'seconds of empty reads': { faults: [{ kind: 'empty', atUs: 4 * second, forUs: 3 * second }] },
  'late refreshes': { jitter: 0.9 },
  'a slow meter': { faults: [{ kind: 'slow', atUs: 0, forUs: 60 * second }] },
  'a meter of 5 s': { refreshUs: 5 * second },
  'a dead domain': { faults: [{ kind: 'dead', atUs: 3 * second, forUs: 60 * second, domain: 'dram-0' }] },
  'a domain that was dead': { faults: [{ kind: 'dead', atUs: 3 * second, forUs: 4 * second }] },
  'a domain that goes and comes back': {
    faults: [{ kind: 'hotplug', atUs: 3 * second, forUs: 4 * second, domain: 'package-1' }],
  },
  'a CPU that goes and comes back': { faults: [{ kind: 'offline', atUs: 3 * second, forUs: 4 * second }] },
  'a suspended machine': { faults: [{ kind: 'suspend', atUs: 3 * second, forUs: 7 * second }] },
};

const rates = [
  { hertz: 1, seeds: [1, 2, 3], seconds: 20 },
  { hertz: 100, seeds: [4, 5], seconds: 12 },
  { hertz: 10_000, seeds: [6], seconds: 11 },
];

for (const [name, wanted] of Object.entries(faults)) {
  for (const { hertz, seeds, seconds } of rates) {
    test(`WrappingCounter is exact to a count at ${hertz} Hz, with ${name}`, () => {
      for (const seed of seeds)
        assertExact(name, follow(createSpec({ ...wanted, seed }), hertz, seconds * second));
    });
  }
}

const halfSecond = fc.integer({ min: 1, max: 30 }).map((count) => (count * second) / 2);
// A reset that is not read in time, or happens close to a wrap, is indistinguishable from used energy.
const knowable = fc.constantFrom('wrap', 'torn', 'failed', 'empty', 'slow', 'dead', 'hotplug', 'offline');
const anyFault = fc.record({
  kind: knowable,
  atUs: halfSecond,
  forUs: halfSecond,
  domain: fc.constantFrom(undefined, 'package-0', 'dram-0', 'psys'),
  cpu: fc.integer({ min: 1, max: 3 }),
});
const share = fc.constantFrom(0, 0, 0.05);

test('WrappingCounter is exact to a count under any combination of faults', () => {
  const spec = fc.record({
    seed: fc.nat(2 ** 31),
    faults: fc.array(anyFault, { maxLength: 4 }),
    refreshUs: fc.constantFrom(1_000, 50_000, 1_000_000, 5_000_000),
    jitter: fc.constantFrom(0, 0.9),
    faultShares: fc.record({ torn: share, failed: share, empty: share }),
  });
  fc.assert(
    fc.property(spec, fc.constantFrom(1, 3, 10, 100), (wanted, hertz) => {
      const machine = createSpec({ ...wanted, sockets: 1, cpusPerSocket: 4, gpus: 0 });
      assertExact('any faults', follow(machine, hertz, 20 * second));
    }),
    { numRuns: 50 },
  );
});
