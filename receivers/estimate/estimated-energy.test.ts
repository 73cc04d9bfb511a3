import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseCpuTimes } from '../../src/linux/procfs.js';
import { EstimatedEnergy } from './estimated-energy.js';

const second = 1_000_000_000n;
const perCpu = (cpus: number) => ({ idleWatts: cpus, maxWatts: 5 * cpus, source: '' });

/** `/proc/stat` of this many CPUs that were idle and stolen for this many ticks. */
function stat(cpus: number, idleTicks: number, stealTicks = 0) {
  const lines = ['cpu ', ...Array.from({ length: cpus }, (_, cpu) => `cpu${cpu}`)];
  return parseCpuTimes(
    Buffer.from(lines.map((name) => `${name} 0 0 0 ${idleTicks} 0 0 0 ${stealTicks}\n`).join('')),
  );
}

test('EstimatedEnergy gives the idle power, when all CPUs are idle', () => {
  const energy = new EstimatedEnergy(perCpu);
  assert.deepEqual(energy.update(stat(2, 1000), 5n * second), { joules: 0, idleWatts: 2 });
  assert.deepEqual(energy.update(stat(2, 1200), 6n * second), { joules: 2, idleWatts: 2 });
});

test('EstimatedEnergy gives the greatest power, when all CPUs are busy', () => {
  const energy = new EstimatedEnergy(perCpu);
  energy.update(stat(2, 1000), 5n * second);
  assert.equal(energy.update(stat(2, 1000), 7n * second).joules, 20);
});

test('EstimatedEnergy gives a straight line between, when CPUs are half busy', () => {
  const energy = new EstimatedEnergy(perCpu);
  energy.update(stat(2, 1000), 5n * second);
  assert.equal(energy.update(stat(2, 1100), 6n * second).joules, 6);
});

test('EstimatedEnergy takes stolen time for idle', () => {
  const energy = new EstimatedEnergy(perCpu);
  energy.update(stat(2, 1000, 50), 5n * second);
  assert.equal(energy.update(stat(2, 1100, 150), 6n * second).joules, 2);
});

test('EstimatedEnergy changes its power with the next reading, when a CPU goes offline', () => {
  const energy = new EstimatedEnergy(perCpu);
  energy.update(stat(2, 1000), 5n * second);
  energy.update(stat(2, 1200), 6n * second);
  assert.deepEqual(energy.update(stat(1, 1300), 7n * second), { joules: 3, idleWatts: 1 });
  assert.deepEqual(energy.update(stat(1, 1400), 8n * second), { joules: 4, idleWatts: 1 });
});

test('EstimatedEnergy adds up to the same, whether read often or twice', () => {
  const often = new EstimatedEnergy(perCpu);
  const twice = new EstimatedEnergy(perCpu);
  twice.update(stat(2, 0), 0n);
  let joules = 0;
  for (let tick = 0; tick <= 1000; tick++)
    joules = often.update(stat(2, tick), BigInt(tick) * 10_000_000n).joules;
  assert.equal(joules, twice.update(stat(2, 1000), 10n * second).joules);
  assert.equal(joules, 60);
});

test('EstimatedEnergy gives no more than the greatest power, when idle time falls back', () => {
  const energy = new EstimatedEnergy(perCpu);
  energy.update(stat(2, 1000), 5n * second);
  assert.equal(energy.update(stat(2, 997), 6n * second).joules, 10);
});

test('EstimatedEnergy never falls, when idle time runs ahead of the clock', () => {
  const energy = new EstimatedEnergy(perCpu);
  energy.update(stat(2, 1000), 5n * second);
  const before = energy.update(stat(2, 1100), 6n * second).joules;
  assert.ok(energy.update(stat(2, 1103), 6n * second + 10_000_000n).joules >= before);
});
