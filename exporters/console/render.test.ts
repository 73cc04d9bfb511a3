import assert from 'node:assert/strict';
import { test } from 'node:test';
import { describeDuration, renderView } from './render.js';
import type { View } from './view.js';

const view: View = {
  elapsed: 84,
  joules: 1033.4,
  domains: [
    { name: 'dram-0', type: 'memory', watts: 2.24, joules: 180.4, isEstimated: false },
    { name: 'package-0', type: 'cpu', watts: 10.1, joules: 853, isEstimated: true },
  ],
  parts: [
    { part: 'attributed', watts: 6.1, joules: 510 },
    { part: 'idle', watts: 5, joules: 420 },
    { part: 'unattributed', watts: 1.24, joules: 103.4 },
  ],
  cpu: { busy: 0.46, count: 2 },
  listed: 'process',
  processes: [
    { name: 'node', pid: '1234', watts: 3.2, joules: 120, cpus: 0.123 },
    { name: 'a-name-that-is-far-too-long-for-its-column', pid: '99', watts: 0.0004, joules: NaN, cpus: 0 },
  ],
  all: { watts: 6.1, joules: 510, cpus: 0.46 },
};

const terminal = { columns: 80, rows: Infinity };

test('renderView shows everything, when there is enough space', () => {
  assert.deepEqual(renderView(view, terminal), [
    'Joulemetry, running for 1 min 24 s',
    '',
    'Power                  12.34 W    1.033 kJ  since the start, estimated',
    '  dram-0               2.240 W     180.4 J  memory',
    '  package-0            10.10 W     853.0 J  cpu, estimated',
    '',
    'attributed             6.100 W     510.0 J  49.4 %',
    'idle                   5.000 W     420.0 J  40.6 %',
    'unattributed           1.240 W     103.4 J  10.0 %',
    '',
    'CPUs              0.46 of 2 busy, 23.0 %',
    '',
    'PROCESS                                  PID         CPU       POWER      ENERGY',
    'node                                    1234      12.3 %     3.200 W     120.0 J',
    'a-name-that-is-far-too-long-for-i…        99       0.0 %    400.0 µW           -',
    'other, unseen                                     33.7 %     2.900 W     390.0 J',
  ]);
});

test('renderView shows the most important rows, when the terminal has 40 columns and 12 rows', () => {
  const processes = Array.from({ length: 20 }, (_, i) => ({
    name: `program-${i}`,
    pid: String(4_194_300 - i),
    watts: 1 / 2 ** (i + 1),
    joules: 10,
    cpus: 0.01,
  }));
  const all = { watts: 1, joules: 510, cpus: 0.46 };
  // Two lines of the terminal are left empty.
  assert.deepEqual(renderView({ ...view, processes, all }, { columns: 40, rows: 10 }), [
    'Power         12.34 W 1.033 kJ estimated',
    'attributed    6.100 W  510.0 J  49.4 %',
    'idle          5.000 W  420.0 J  40.6 %',
    'unattributed  1.240 W  103.4 J  10.0 %',
    'CPUs        0.46 of 2 busy, 23.0 %',
    'PROCESS            PID      CPU    POWER',
    'program-0      4194300    1.0 % 500.0 mW',
    'program-1      4194299    1.0 % 250.0 mW',
    'program-2      4194298    1.0 % 125.0 mW',
    'other, unseen            43.0 % 125.0 mW',
  ]);
});

test('renderView lists as many processes as there are rows for, and sums the others', () => {
  const processes = Array.from({ length: 100 }, () => ({
    name: 'a',
    pid: '1',
    watts: 1,
    joules: 1,
    cpus: 0.01,
  }));
  const all = { watts: 100, joules: 1000, cpus: 1 };
  for (let rows = 1; rows < 60; rows++) {
    const lines = renderView({ ...view, processes, all }, { columns: 80, rows });
    assert.ok(lines.length <= Math.max(rows, 5));
    if (rows < 8) continue;
    assert.equal(lines.length, rows);
    const count = lines.filter((line) => line.startsWith('a  ')).length;
    const rest = new RegExp(`^other, unseen +${100 - count}\\.0 % +${100 - count}\\.00? W`);
    assert.match(lines[lines.length - 1].replace('100 %', '100.0 %'), rest);
  }
});

test('renderView shows groups without pid and CPU use', () => {
  const processes = [
    { name: 'node (web.service)', pid: '', watts: 3.2, joules: 120, cpus: NaN },
    { name: 'unseen (a-unit-with-a-very-long-name.service)', pid: '', watts: 0.5, joules: 3, cpus: NaN },
  ];
  const groups: View = { ...view, listed: 'program', processes, all: { ...view.all, cpus: NaN } };
  assert.deepEqual(renderView(groups, terminal).slice(-4), [
    'PROGRAM                                                        POWER      ENERGY',
    'node (web.service)                                           3.200 W     120.0 J',
    'unseen (a-unit-with-a-very-long-name.service)               500.0 mW     3.000 J',
    'other                                                        2.400 W     387.0 J',
  ]);
});

test('renderView keeps numbers close to names, when the terminal is wide, and does not cut a long name', () => {
  const size = { columns: 200, rows: Infinity };
  const widthOf = (name: string) => {
    const processes = [{ name, pid: '1', watts: 1, joules: 1, cpus: 0.1 }];
    const [header, line] = renderView({ ...view, processes }, size).slice(-3);
    assert.ok(line.startsWith(`${name} `));
    assert.equal(line.length, header.length);
    return line.length;
  };
  assert.equal(widthOf('node'), 56 + 9 + 3 * 12);
  assert.equal(widthOf('n'.repeat(90)), 92 + 9 + 3 * 12);
});

test('renderView shows no rest, when the listed processes are the whole', () => {
  const [node] = view.processes;
  const lines = renderView(
    { ...view, processes: [node], all: { watts: 3.2, joules: 120, cpus: 0.12 } },
    terminal,
  );
  assert.match(lines[lines.length - 1], /^node /);
});

test('renderView cuts lines, when the terminal is narrower than the columns', () => {
  const lines = renderView(view, { columns: 24, rows: Infinity });
  assert.ok(lines.every((line) => line.length <= 24));
  assert.equal(lines[2], 'Power         12.34 W 1…');
});

test('renderView shows the number of busy CPUs, when their total is unknown', () => {
  const lines = renderView({ ...view, cpu: { busy: 5.43, count: NaN } }, terminal);
  assert.ok(lines.includes('CPUs              5.43 busy'));
});

test('renderView leaves out unknown values', () => {
  const processes = [{ name: 'node', pid: '1', watts: NaN, joules: NaN, cpus: 0.5 }];
  const unknown = { domains: [], joules: NaN, parts: [], cpu: { busy: NaN, count: 2 } };
  const all = { watts: NaN, joules: NaN, cpus: NaN };
  const size = { columns: 60, rows: Infinity };
  assert.deepEqual(renderView({ ...view, ...unknown, processes, all }, size), [
    'Joulemetry, running for 1 min 24 s',
    '',
    'Power             no meter has been read so far; see: joule…',
    '',
    'CPUs              -',
    '',
    'PROCESS                                      PID         CPU',
    'node                                           1      50.0 %',
  ]);
});

test('renderView shows no control characters, when a program has some in its name', () => {
  const processes = [{ name: 'a\u001B[2Jb\n', pid: '1', watts: NaN, joules: NaN, cpus: 0.5 }];
  const lines = renderView({ ...view, processes }, terminal);
  assert.match(lines[lines.length - 2], /^a\?\[2Jb\? /);
});

test('describeDuration gives the two largest units', () => {
  assert.equal(describeDuration(12.9), '12 s');
  assert.equal(describeDuration(184), '3 min 04 s');
  assert.equal(describeDuration(7500), '2 h 05 min');
});
