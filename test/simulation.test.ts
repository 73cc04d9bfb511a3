import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createMachine, type Machine } from '../src/simulation/machine.js';
import { createSpec } from '../src/simulation/machine-spec.js';
import { fc } from '../src/testing/fixed-seed.fixture.js';

const specs = fc.record({
  seed: fc.nat(2 ** 31),
  sockets: fc.integer({ min: 1, max: 3 }),
  cpusPerSocket: fc.integer({ min: 1, max: 4 }),
  gpus: fc.integer({ min: 0, max: 2 }),
  processes: fc.integer({ min: 0, max: 15 }),
  arrivalsPerSecond: fc.integer({ min: 0, max: 40 }),
  spread: fc.constantFrom(0, 0.5, 1),
});
const instants = fc.array(fc.integer({ min: 0, max: 3_000_000 }), { minLength: 1, maxLength: 8 });
const runs = { numRuns: 60 };

function sum(values: readonly bigint[]): bigint {
  return values.reduce((total, value) => total + value, 0n);
}

/** The distinct costs of a CPU second. */
function costs(spread: number): ReadonlySet<number> {
  const machine = createMachine(createSpec({ spread }));
  machine.advance(5_000_000);
  return new Set(machine.processes.map(({ identity }) => identity.rates.package));
}

/** The complete state of a machine at an instant. */
function tellAll(machine: Machine, us: number) {
  machine.advance(us);
  return {
    domains: machine.domains.map((_, i) => machine.energyNj(i, us)),
    processes: machine.processes.map((process) => [
      process.identity,
      machine.cpuNsOf(process),
      machine.domains.map((_, i) => machine.energyNjOf(process, i)),
    ]),
    cgroups: machine.cgroups(),
    cpus: machine.cpus(),
    births: machine.births,
  };
}

test('Machine has the same values at an instant, however often and in whatever order it is advanced', () => {
  fc.assert(
    fc.property(specs, instants, (settings, times) => {
      const asked = createMachine(createSpec(settings));
      for (const us of times) {
        assert.deepEqual(tellAll(asked, us), tellAll(createMachine(createSpec(settings)), us));
      }
    }),
    runs,
  );
});

test('Machine uses in each domain the idle energy plus the energy of its cgroups, to the nanojoule', () => {
  fc.assert(
    fc.property(specs, instants, (settings, times) => {
      const machine = createMachine(createSpec(settings));
      for (const us of times) {
        machine.advance(us);
        machine.domains.forEach((_, i) => {
          const dynamic = sum(machine.cgroups().map(({ energyNj }) => energyNj[i]));
          assert.equal(machine.energyNj(i, us), machine.idleNj(i, us) + dynamic);
        });
      }
    }),
    runs,
  );
});

test('Machine uses the energy of its processes when it forgets none of them', () => {
  fc.assert(
    fc.property(specs, instants, (settings, times) => {
      const machine = createMachine(createSpec({ ...settings, rememberUs: 1e9 }));
      for (const us of times) {
        machine.advance(us);
        const { processes } = machine;
        machine.domains.forEach((_, i) => {
          const dynamic = sum(processes.map((process) => machine.energyNjOf(process, i)));
          assert.equal(machine.energyNj(i, us), machine.idleNj(i, us) + dynamic);
        });
        assert.equal(machine.busyNs, sum(processes.map((process) => machine.cpuNsOf(process))));
      }
    }),
    runs,
  );
});

test('Machine gives no CPU more than 100 % of its time', () => {
  fc.assert(
    fc.property(specs, instants, (settings, times) => {
      const machine = createMachine(createSpec(settings));
      for (const us of times) {
        machine.advance(us);
        for (const { busyNs, onlineNs } of machine.cpus()) {
          assert.ok(busyNs >= 0n && busyNs <= onlineNs);
          assert.equal(onlineNs, BigInt(us) * 1000n);
        }
      }
    }),
    runs,
  );
});

test('Machine has processes with different costs, or equal costs without a spread', () => {
  assert.ok(costs(1).size > 10);
  assert.equal(costs(0).size, 1);
});

test('Machine has processes that live for a millisecond', () => {
  const machine = createMachine(createSpec({ arrivalsPerSecond: 50 }));
  machine.advance(20_000_000);
  const lives = machine.processes.map(({ identity }) => identity.diesUs - identity.bornUs);
  assert.ok(lives.some((us) => us < 2_000));
  assert.ok(lives.some((us) => us > 1_000_000 && us < Infinity));
});

test('Machine does not change while it is suspended', () => {
  const faults = [{ kind: 'suspend', atUs: 1_000_000, forUs: 10_000_000 }] as const;
  const machine = createMachine(createSpec({ faults }));
  const before = tellAll(machine, 1_000_000);
  assert.deepEqual(tellAll(machine, 11_000_000), before);
  assert.deepEqual(tellAll(createMachine(createSpec()), 2_000_000), tellAll(machine, 12_000_000));
});

test('Machine takes work from a CPU that goes offline, and gives it back', () => {
  const faults = [{ kind: 'offline', atUs: 500_000, forUs: 500_000, cpu: 1 }] as const;
  const machine = createMachine(createSpec({ faults, sockets: 1, cpusPerSocket: 2 }));
  machine.advance(1_500_000);
  const [first, second] = machine.cpus();
  assert.deepEqual([first?.onlineNs, second?.onlineNs], [1_500_000_000n, 1_000_000_000n]);
  machine.advance(700_000);
  assert.deepEqual(
    machine.cpus().map(({ isOnline }) => isOnline),
    [true, false],
  );
});

test('Machine still has the energy of processes that it has forgotten', () => {
  const spec = createSpec({ arrivalsPerSecond: 1 });
  const [old, young] = [createMachine(spec), createMachine(spec)];
  old.advance(1_200_000_000);
  young.advance(1_000_000);
  assert.equal(old.energyNj(0, 1_000_000), young.energyNj(0, 1_000_000));
});

test('Machine is busy when far more processes need CPU time than it has', () => {
  const machine = createMachine(createSpec({ sockets: 1, cpusPerSocket: 2, processes: 2000 }));
  machine.advance(1_000_000);
  assert.equal(machine.busyNs, 2_000_000_000n);
});
