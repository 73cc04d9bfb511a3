import assert from 'node:assert/strict';
import { test } from 'node:test';
import { renderView } from './render.js';
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
  processes: [
    { name: 'node', pid: '1234', watts: 3.2, joules: 120, cpus: 0.123 },
    { name: 'a-name-that-is-far-too-long-for-its-column', pid: '99', watts: 0.0004, joules: NaN, cpus: 0 },
  ],
};

test('renderView shows everything, when there is room', () => {
  assert.deepEqual(renderView(view, 80), [
    'Joulemetry, running for 1 min 24 s',
    '',
    'Power                   12.3 W     1.03 kJ  since the start, estimated',
    '  dram-0                2.24 W       180 J  memory',
    '  package-0             10.1 W       853 J  cpu, estimated',
    '',
    'attributed              6.10 W       510 J  49.4 %',
    'idle                    5.00 W       420 J  40.6 %',
    'unattributed            1.24 W       103 J  10.0 %',
    '',
    'CPUs              0.46 of 2 busy, 23.0 %',
    '',
    'PROCESS                                  PID         CPU       POWER      ENERGY',
    'node                                    1234      12.3 %      3.20 W       120 J',
    'a-name-that-is-far-too-long-for-i…        99       0.0 %      400 µW           -',
  ]);
});

test('renderView cuts lines, when the terminal is narrow', () => {
  const lines = renderView(view, 40);
  assert.ok(lines.every((line) => line.length <= 40));
  assert.equal(lines.at(-1), 'a-name-that-is-fa…        99       0.0 %');
  assert.equal(lines[2], 'Power                   12.3 W     1.03…');
});

test('renderView says how many CPUs are busy, when nobody knows of how many', () => {
  const lines = renderView({ ...view, cpu: { busy: 5.43, count: NaN } }, 80);
  assert.ok(lines.includes('CPUs              5.43 busy'));
});

test('renderView leaves out what it does not know', () => {
  const processes = [{ name: 'node', pid: '1', watts: NaN, joules: NaN, cpus: 0.5 }];
  const cpu = { busy: NaN, count: 2 };
  assert.deepEqual(renderView({ ...view, domains: [], joules: NaN, parts: [], cpu, processes }, 60), [
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
  assert.match(renderView({ ...view, processes }, 60).at(-1) ?? '', /^a\?\[2Jb\? /);
});
