import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Series } from '../../src/model/series.js';
import { playSecond, Rig, RigProcess, unixNs, type Scan } from './rig.fixture.js';

/** A machine of 10 W on which processes use given CPU seconds in each second. */
class LimitedMachine {
  readonly rig: Rig;
  readonly #meter: Series;
  readonly #processes = new Map<number, { readonly rig: RigProcess; usedS: number }>();
  #nowS = 0;
  #busyS = 0;

  constructor(settings: object) {
    this.rig = new Rig(settings);
    this.#meter = this.rig.createMeter();
  }

  /** @param used CPU seconds in this second, by pid; a pid that is missing has ended */
  second(used: Readonly<Record<number, number>>): void {
    for (const [pid, { rig }] of this.#processes) {
      if (pid in used) continue;
      this.#processes.delete(pid);
      this.rig.end(this.#nowS, ...rig.series);
    }
    for (const [pid, seconds] of Object.entries(used)) this.#use(Number(pid), seconds);
    const rows = [...this.#processes.values()].map(({ rig, usedS }) => [rig, usedS] as const);
    const scan: Scan = { rig: this.rig, meter: this.#meter, used: rows };
    playSecond(scan, this.#nowS, this.#busyS);
    this.#nowS += 1;
  }

  /** Joules of the last row of live `process.energy`, by pid or name. */
  live(): Record<string, number> {
    const table = this.rig.out.tables.findLast(({ series }) =>
      series.some(({ metric }) => metric.name === 'ledger.energy'),
    );
    const entries = table?.series.map(({ metric, resource: { attributes } }, column) => [
      metric.name === 'process.energy'
        ? String(attributes['process.pid'] ?? attributes['process.executable.name'])
        : '',
      table.values[column],
    ]);
    return Object.fromEntries((entries ?? []).filter(([key]) => key !== ''));
  }

  #use(pid: number, seconds: number): void {
    const known = this.#processes.get(pid);
    const born = { rig: new RigProcess({ 'process.pid': pid }, Math.max(0, this.#nowS - 1)), usedS: 0 };
    const process = known ?? born;
    process.usedS += seconds;
    this.#busyS += seconds;
    this.#processes.set(pid, process);
  }
}

function forwarded({ out }: Rig, name: string): readonly string[] {
  const series = out.tables.flatMap((table) => table.series.filter(({ metric }) => metric.name === name));
  return [...new Set(series.map(({ resource }) => String(resource.attributes['process.pid'])))];
}

test('attribution shows the processes with the highest usage from their first window on, and aggregates the others', () => {
  const machine = new LimitedMachine({ process_limit: 2 });
  machine.second({ 1: 0, 2: 0, 3: 0, 4: 0 });
  machine.second({ 1: 0.1, 2: 0.4, 3: 0.2, 4: 0.3 });
  assert.deepEqual(machine.live(), { 2: 4, 4: 3, other: 3 });
});

test('attribution always shows the process of the collector', () => {
  const machine = new LimitedMachine({ process_limit: 1 });
  const own = process.pid;
  machine.second({ [own]: 0, 1_000_001: 0, 1_000_002: 0 });
  machine.second({ [own]: 0.1, 1_000_001: 0.5, 1_000_002: 0.4 });
  assert.deepEqual(machine.live(), { [own]: 1, 1_000_001: 5, other: 4 });
});

test('attribution always shows the configured processes', () => {
  const machine = new LimitedMachine({ process_limit: 1, shown_pids: [1_000_003] });
  machine.second({ 1_000_001: 0, 1_000_002: 0, 1_000_003: 0 });
  machine.second({ 1_000_001: 0.4, 1_000_002: 0.5, 1_000_003: 0.1 });
  assert.deepEqual(machine.live(), { 1_000_003: 1, 1_000_002: 5, other: 4 });
});

test('attribution gives other processes a place only when their usage is clearly higher, without their earlier usage', () => {
  const machine = new LimitedMachine({ process_limit: 1 });
  machine.second({ 1: 0, 2: 0 });
  machine.second({ 1: 0.5, 2: 0.5 });
  machine.second({ 1: 0.4, 2: 0.6 });
  assert.deepEqual(machine.live(), { 1: 9, other: 11 });
  for (let second = 0; second < 3; second++) machine.second({ 1: 0, 2: 1 });
  const [before, now] = machine.rig.out
    .last('process.energy')
    .filter(({ series }) => series.resource.attributes['process.pid'] !== undefined);
  assert.equal(before.value, 9);
  assert.equal(now.series.resource.attributes['process.pid'], 2);
  assert.equal(now.series.start, unixNs(2));
  assert.deepEqual(machine.live(), { 2: 30, other: 11 });
});

const uses = { 1: 0.9, 2: 0.1 };

test('attribution gives a process series once it was charged the minimum energy, without its earlier energy', () => {
  const machine = new LimitedMachine({ process_limit: 0, min_energy: 5 });
  machine.second({ 1: 0, 2: 0 });
  machine.second(uses);
  assert.deepEqual(machine.live(), { other: 10 });
  for (let second = 0; second < 3; second++) machine.second(uses);
  assert.deepEqual(machine.live(), { 1: 27, other: 13 });
  const own = machine.rig.out.last('process.energy').find(({ value }) => value === 27);
  assert.equal(own?.series.start, unixNs(1));
  assert.deepEqual(forwarded(machine.rig, 'process.cpu.time'), ['1']);
  for (let second = 0; second < 2; second++) machine.second(uses);
  assert.deepEqual(machine.live(), { 1: 45, 2: 1, other: 14 }, 'the other one has its 5 J as well');
});

test('attribution leaves a place free for which no process was charged the minimum energy', () => {
  const machine = new LimitedMachine({ process_limit: 2, min_energy: 5 });
  machine.second({ 1: 0, 2: 0, 3: 0 });
  for (let second = 0; second < 3; second++) machine.second({ 1: 0.85, 2: 0.1, 3: 0.05 });
  assert.deepEqual(machine.live(), { 1: 17, other: 13 });
});

test('attribution ends the series of a process that loses its place, and starts new series later', () => {
  const machine = new LimitedMachine({ process_limit: 1 });
  machine.second({ 1: 0, 2: 0 });
  for (let second = 0; second < 9; second++) machine.second({ 1: 1, 2: 0 });
  for (let second = 0; second < 60; second++) machine.second({ 1: 0, 2: 1 });
  for (let second = 0; second < 200; second++) machine.second({ 1: 1, 2: 0 });
  const names = ['process.energy', 'process.cpu.time'];
  for (const name of names) {
    const series = machine.rig.out.tables.flatMap((table) => table.series);
    const own = new Set(
      series.filter(
        ({ metric, resource }) => metric.name === name && resource.attributes['process.pid'] === 1,
      ),
    );
    assert.equal(own.size, name === 'process.energy' ? 2 : 4);
  }
  const ended = new Set(machine.rig.out.tables.flatMap((table) => table.ended ?? []));
  for (const table of machine.rig.out.tables.slice(-3)) {
    for (const series of table.series) assert.ok(!ended.has(series));
  }
});

test('attribution forwards only the series of shown processes, unless all are configured', () => {
  const seconds = [
    { 1: 0, 2: 0 },
    { 1: 0.9, 2: 0.1 },
    { 1: 0.9, 2: 0.1 },
  ];
  const playWith = (settings: object) => {
    const machine = new LimitedMachine(settings);
    for (const second of seconds) machine.second(second);
    return machine;
  };
  const limited = playWith({ process_limit: 1 });
  assert.deepEqual(forwarded(limited.rig, 'process.cpu.time'), ['1']);
  for (const settings of [{ process_limit: 0 }, { process_limit: 1, process_metrics: 'all' }]) {
    assert.deepEqual(forwarded(playWith(settings).rig, 'process.cpu.time'), ['1', '2']);
  }
  assert.deepEqual(playWith({ process_limit: 0 }).live(), { 1: 18, 2: 2 });
});

test('attribution gives most short-lived commands no separate series', () => {
  const machine = new LimitedMachine({ process_limit: 5 });
  for (let second = 0; second < 120; second++) {
    const commands = [0, 1, 2, 3].map((i) => [10 + 4 * second + i, 0.2]);
    machine.second({ 1: 0.1, ...Object.fromEntries(commands) });
  }
  // Ten soon, and five in each of two minutes.
  const pids = forwarded(machine.rig, 'process.energy').filter((pid) => pid !== 'undefined');
  assert.ok(pids.length <= 20, `${pids.length} processes`);
  const { 1: long, other } = machine.live();
  assert.ok(long > 100 && other > 900);
});

test('attribution shows processes without a meter, by their CPU time', () => {
  const rig = new Rig({ process_limit: 1 });
  const processes = [1, 2].map((pid) => new RigProcess({ 'process.pid': pid }, 0));
  for (const atS of [0, 1, 2, 3]) {
    rig.usage(
      atS,
      processes.map((process, i) => [process, atS * (i + 1) * 0.1]),
    );
    rig.boundary(atS, atS);
  }
  assert.deepEqual(forwarded(rig, 'process.cpu.time'), ['2']);
});
