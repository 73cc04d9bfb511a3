import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { Rig, RigProcess } from './rig.fixture.js';

const cpuMs = [100, 80, 70, 60, 200, 90, 110];

/** The worked example of docs/ledger.md, in two scans. */
function playExample(settings: object, usedMs: readonly number[] = cpuMs): Rig {
  const rig = new Rig(settings);
  const meter = rig.createMeter();
  const processes = usedMs.map((_, i) => new RigProcess({ 'process.pid': i + 1 }, 0));
  rig.energy(meter, 0, 0);
  rig.usage(
    0,
    processes.map((process) => [process, 0]),
  );
  rig.boundary(0, 0);
  rig.energy(meter, 1, 60);
  rig.usage(
    1,
    processes.map((process, i) => [process, usedMs[i] / 1000]),
  );
  rig.boundary(1, 1);
  return rig;
}

test('attribution reproduces the worked example of the ledger', () => {
  const rig = playExample({ floor: [{ power: 40 }] });
  assert.deepEqual(rig.processes(), { 1: 2.0, 2: 1.6, 3: 1.4, 4: 1.2, 5: 4.0, 6: 1.8, 7: 2.2 });
  assert.deepEqual(rig.parts(), { attributed: 14.2, idle: 40, unseen: 5.8 });
});

test('attribution reproduces the worked example with idle energy charged by CPU time', () => {
  const rig = playExample({ floor: [{ power: 40 }], idle: 'proportional' });
  assert.deepEqual(rig.processes(), { 1: 6.0, 2: 4.8, 3: 4.2, 4: 3.6, 5: 12.0, 6: 5.4, 7: 6.6 });
  assert.deepEqual(rig.parts(), { attributed: 42.6, idle: 0, unseen: 17.4 });
});

test('attribution reproduces the worked example with idle energy charged equally', () => {
  const rig = playExample({ floor: [{ power: 35 }], idle: 'equal' });
  assert.deepEqual(rig.processes(), { 1: 7.5, 2: 7, 3: 6.75, 4: 6.5, 5: 10, 6: 7.25, 7: 7.75 });
  assert.deepEqual(rig.parts(), { attributed: 52.75, idle: 0, unseen: 7.25 });
});

/** The rows of the table of docs/ledger.md with the worked example: their names, and the numbers of their columns. */
function readExample(): readonly { readonly name: string; readonly numbers: readonly number[] }[] {
  const text = readFileSync(new URL('../../../docs/ledger.md', import.meta.url), 'utf8');
  const example = text.slice(text.indexOf('## Worked example'));
  const rows = example.match(/^\| (Process \d|`).*$/gm) ?? [];
  return rows.map((row) => {
    const [name = '', ...cells] = row.split('|').slice(1, -1);
    return { name: name.replaceAll('`', '').trim(), numbers: cells.map(Number) };
  });
}

for (const [column, idle] of ['separate', 'proportional', 'equal'].entries()) {
  test(`attribution computes the worked example of docs/ledger.md, idle energy ${idle}`, () => {
    const rows = readExample();
    const processes = rows.filter(({ name }) => name.startsWith('Process'));
    const rig = playExample(
      { floor: [{ power: 40 }], idle },
      processes.map(({ numbers }) => numbers[0]),
    );
    const { attributed, idle: idleJ, unseen } = rig.parts();
    // To the nanojoule: the last digit of a double is smaller.
    const computed = [...Object.values(rig.processes()), attributed, idleJ, unseen].map((joules) =>
      Number(joules.toFixed(9)),
    );
    assert.deepEqual(
      rows.slice(7).map(({ numbers }) => numbers[0]),
      [710, 0, 290],
    );
    assert.deepEqual(
      rows.map(({ name, numbers }) => [name, numbers[column + 1]]),
      rows.map(({ name }, i) => [name, computed[i]]),
    );
  });
}
