import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Attributes, Series } from '../../src/model/series.js';
import { createRow } from '../../src/model/table.js';
import { createView } from './create-view.js';
import { Readings } from './readings.js';

const second = 1_000_000_000n;

function seriesOf(name: string, attributes: Attributes, resource = { attributes: {} }): Series {
  const metric = { name, unit: '', description: '', kind: 'counter', valueType: 'double' } as const;
  return { metric, resource, attributes, start: 0n };
}

const options = { elapsed: 2, cpuCount: 4, top: 10 };

/** A view of counters that start at 0 and are read once, after two seconds. */
function lookAfterTwoSeconds(readings: readonly (readonly [Series, number])[]) {
  const all = new Readings();
  all.take(createRow([], 0n, new Float64Array(0)));
  const values = Float64Array.from(readings, ([, value]) => value);
  all.take(
    createRow(
      readings.map(([series]) => series),
      2n * second,
      values,
    ),
  );
  return { view: createView(all, options), readings: all };
}

test('createView returns watts and joules of every domain, sorted by name', () => {
  const { view } = lookAfterTwoSeconds([
    [seriesOf('hw.energy', { 'hw.id': 'p', 'hw.name': 'package-0', 'hw.type': 'cpu' }), 10],
    [seriesOf('hw.energy', { 'hw.id': 'd', 'hw.type': 'memory', 'energy.method': 'estimated' }), 4],
  ]);
  assert.deepEqual(view.domains, [
    { name: 'd', type: 'memory', watts: 2, joules: 4, isEstimated: true },
    { name: 'package-0', type: 'cpu', watts: 5, joules: 10, isEstimated: false },
  ]);
  assert.equal(view.joules, 14);
});

function joulesOf(...counters: readonly (readonly [Series, number])[]) {
  const { view } = lookAfterTwoSeconds(counters);
  return [view.joules, view.domains.map(({ name }) => name)];
}

test('createView shows the whole host only where no domain is measured, and adds an estimate of the host to the domains', () => {
  const host = { 'hw.id': 'h', 'hw.type': 'host' };
  const measured = [seriesOf('hw.host.energy', host), 30] as const;
  const estimated = [seriesOf('hw.host.energy', { ...host, 'energy.method': 'estimated' }), 20] as const;
  const domain = [seriesOf('hw.energy', { 'hw.id': 'p' }), 10] as const;
  assert.deepEqual(joulesOf(measured), [30, ['h']]);
  assert.deepEqual(joulesOf(measured, domain), [10, ['p']]);
  assert.deepEqual(joulesOf(estimated, domain), [30, ['h', 'p']]);
});

test('createView keeps the joules of a domain that ended', () => {
  const old = seriesOf('hw.energy', { 'hw.id': 'p' });
  const { readings } = lookAfterTwoSeconds([[old, 10]]);
  const again = seriesOf('hw.energy', { 'hw.id': 'p' });
  readings.take({ ...createRow([again], 3n * second, Float64Array.of(1)), ended: [old] });
  const view = createView(readings, options);
  assert.deepEqual([view.joules, view.domains.map(({ joules }) => joules)], [11, [11]]);
});

test('createView adds up the parts of the ledger over domains and reasons', () => {
  const { view, readings } = lookAfterTwoSeconds([
    [seriesOf('ledger.energy', { 'ledger.part': 'unattributed', 'ledger.reason': 'unseen' }), 1],
    [seriesOf('ledger.energy', { 'ledger.part': 'unattributed', 'ledger.reason': 'gap' }), 3],
    [seriesOf('ledger.energy', { 'ledger.part': 'attributed', 'hw.id': 'p' }), 6],
  ]);
  assert.deepEqual(view.parts, [
    { part: 'attributed', watts: 3, joules: 6 },
    { part: 'unattributed', watts: 2, joules: 4 },
  ]);
  const [[one]] = readings.list('part');
  readings.take({ ...createRow([], 3n * second, new Float64Array(0)), ended: [one] });
  assert.equal(createView(readings, options).parts[1].joules, 4, 'what ended stays in the part');
});

test('createView takes the exact busy time, when there is one', () => {
  const modes = [
    [seriesOf('system.cpu.time', { 'cpu.mode': 'user' }), 1],
    [seriesOf('system.cpu.time', { 'cpu.mode': 'system' }), 2],
    [seriesOf('system.cpu.time', { 'cpu.mode': 'idle' }), 5],
  ] as const;
  assert.deepEqual(lookAfterTwoSeconds(modes).view.cpu, { busy: 1.5, count: 4 });
  const exact = [...modes, [seriesOf('system.cpu.busy.time', {}), 4] as const];
  assert.deepEqual(lookAfterTwoSeconds(exact).view.cpu, { busy: 2, count: 4 });
  assert.deepEqual(lookAfterTwoSeconds([]).view.cpu, { busy: NaN, count: 4 });
});

test('createView counts the CPUs of the machine that a table reports, where that is another one', () => {
  const busy = [seriesOf('system.cpu.busy.time', {}), 12] as const;
  assert.deepEqual(lookAfterTwoSeconds([busy]).view.cpu, { busy: 6, count: NaN });
  const counted = [seriesOf('system.cpu.logical.count', {}), 16] as const;
  assert.deepEqual(lookAfterTwoSeconds([busy, counted]).view.cpu, { busy: 6, count: 16 });
});

test('createView lists processes by watts, without those that use nothing', () => {
  const [a, b, c] = ['a', 'b', 'c'].map((name, i) => ({
    attributes: { 'process.executable.name': name, 'process.pid': i },
  }));
  const other = { attributes: { 'process.executable.name': 'other' } };
  const { view, readings } = lookAfterTwoSeconds([
    [seriesOf('process.energy', { 'hw.type': 'cpu' }, other), 8],
    [seriesOf('process.energy', { 'hw.type': 'cpu' }, a), 1],
    [seriesOf('process.energy', { 'hw.type': 'cpu' }, b), 2],
    [seriesOf('process.energy', { 'hw.type': 'memory' }, b), 4],
    [seriesOf('process.energy', { 'hw.type': 'cpu' }, c), 0],
    [seriesOf('process.cpu.time', { 'cpu.mode': 'user' }, a), 0.5],
    [seriesOf('process.cpu.time', { 'cpu.mode': 'system' }, a), 0.5],
  ]);
  assert.deepEqual(view.processes, [
    { name: 'b', pid: '1', watts: 3, joules: 6, cpus: NaN },
    { name: 'a', pid: '0', watts: 0.5, joules: 1, cpus: 0.5 },
  ]);
  assert.deepEqual(view.all, { watts: 7.5, joules: 15, cpus: NaN });
  assert.equal(createView(readings, { ...options, top: 1 }).processes.length, 1);
});

test('createView gives a process that started since the last look its mean rate since then', () => {
  const [a, b] = [0, 1].map((pid) => ({ attributes: { 'process.pid': pid } }));
  const busy = seriesOf('system.cpu.busy.time', {});
  const old = seriesOf('process.cpu.time', {}, a);
  const { readings } = lookAfterTwoSeconds([
    [busy, 4],
    [old, 2],
  ]);
  const young = { ...seriesOf('process.cpu.time', {}, b), start: 3_900_000_000n };
  readings.take(createRow([busy, old, young], 4n * second, Float64Array.of(8, 5.8, 0.2)));
  const view = createView(readings, options);
  assert.deepEqual(
    view.processes.map(({ cpus }) => cpus),
    [1.9, 0.1],
  );
  assert.equal(view.cpu.busy, 2);
});

test('createView gives the only process that started since the last look its mean rate since then, like the machine', () => {
  const [a, b] = [0, 1].map((pid) => ({ attributes: { 'process.pid': pid } }));
  const attributed = seriesOf('ledger.energy', { 'ledger.part': 'attributed', 'hw.type': 'cpu' });
  const old = seriesOf('process.energy', { 'hw.type': 'cpu' }, a);
  const { readings } = lookAfterTwoSeconds([
    [attributed, 4],
    [old, 4],
  ]);
  const young = { ...seriesOf('process.energy', { 'hw.type': 'cpu' }, b), start: 3_900_000_000n };
  readings.take({ ...createRow([attributed], 3n * second, Float64Array.of(4)), ended: [old] });
  readings.take(createRow([attributed, young], 4n * second, Float64Array.of(7, 3)));
  const view = createView(readings, options);
  assert.deepEqual([view.all.watts, view.processes.map(({ watts }) => watts)], [1.5, [1.5]]);
});

test('createView gives a domain that was reset its mean rate since the reset', () => {
  const old = seriesOf('hw.energy', { 'hw.id': 'p' });
  const again = { ...old, start: 3n * second };
  const { readings } = lookAfterTwoSeconds([[old, 10]]);
  readings.take({ ...createRow([again], 3n * second, Float64Array.of(0)), ended: [old] });
  readings.take(createRow([again], 4n * second, Float64Array.of(7)));
  assert.deepEqual(
    createView(readings, options).domains.map(({ watts, joules }) => [watts, joules]),
    [[7, 17]],
  );
});

test('createView shows the attributed energy as that of all processes, where there is a ledger', () => {
  const process = { attributes: { 'process.pid': 1 } };
  const { view } = lookAfterTwoSeconds([
    [seriesOf('ledger.energy', { 'ledger.part': 'attributed', 'hw.type': 'cpu' }), 20],
    [seriesOf('process.energy', { 'hw.type': 'cpu' }, process), 4],
    [seriesOf('system.cpu.busy.time', {}), 3],
  ]);
  assert.deepEqual(view.all, { watts: 10, joules: 20, cpus: 1.5 });
});

test('createView lists processes by CPU time, when there is no energy', () => {
  const [a, b] = ['a', 'b'].map((name, i) => ({
    attributes: { 'process.executable.name': name, 'process.pid': i },
  }));
  const { view } = lookAfterTwoSeconds([
    [seriesOf('process.cpu.time', { 'cpu.mode': 'user' }, a), 0.5],
    [seriesOf('process.cpu.time', { 'cpu.mode': 'user' }, b), 1.5],
  ]);
  assert.deepEqual(
    view.processes.map(({ name, cpus }) => [name, cpus]),
    [
      ['b', 0.75],
      ['a', 0.25],
    ],
  );
});

test('createView lists the groups of a view by watts, and processes where there are none', () => {
  const all = new Readings('program');
  const programs = [
    { 'process.executable.name': 'node', 'systemd.unit': 'web.service' },
    { 'process.executable.name': 'cc1', 'container.id': 'c', 'container.name': 'build' },
    { 'process.executable.name': 'other' },
    { 'process.executable.name': 'idle' },
  ].map((attributes) => seriesOf('program.energy', {}, { attributes }));
  const process = seriesOf('process.energy', {}, { attributes: { 'process.pid': 1 } });
  all.take(createRow([process, ...programs], 0n, new Float64Array(5)));
  all.take(createRow([process], 2n * second, Float64Array.of(2)));
  const early = createView(all, options);
  assert.deepEqual([early.listed, early.processes.map(({ pid }) => pid)], ['process', ['1']]);
  all.take(createRow([process, ...programs], 4n * second, Float64Array.of(4, 4, 8, 16, 0)));
  const { listed, processes, all: whole } = createView(all, options);
  assert.equal(listed, 'program');
  assert.deepEqual(
    processes.map(({ name, watts, joules }) => [name, watts, joules]),
    [
      ['cc1 (build)', 2, 8],
      ['node (web.service)', 1, 4],
    ],
  );
  assert.ok(Number.isNaN(whole.cpus));
});

test('createView forgets a process, when it ended', () => {
  const series = seriesOf('process.cpu.time', {}, { attributes: { 'process.pid': 7 } });
  const { readings, view } = lookAfterTwoSeconds([[series, 1]]);
  assert.equal(view.processes.length, 1);
  readings.take({ ...createRow([series], 3n * second, Float64Array.of(2)), ended: [series] });
  assert.equal(createView(readings, options).processes.length, 0);
});
