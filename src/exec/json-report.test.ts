import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createJsonReport } from './json-report.js';
import { reportRepeat, type RunReport } from './report.js';
import { programOf, run, runOf, runWith } from './report.fixture.js';

test('createJsonReport has units in its keys and null for what is not known', () => {
  const report = createJsonReport({ command: ['true'], runs: [run], repeat: undefined }, '1.2.3');
  assert.deepEqual(JSON.parse(JSON.stringify(report)), {
    schema_version: 1,
    joulemetry_version: '1.2.3',
    command: ['true'],
    runs: [
      {
        started_at: '2026-01-02T03:04:05.000Z',
        exit_code: 0,
        signal: null,
        wall_time_s: 2,
        cpu_time_s: 3,
        cpu_user_s: 2.5,
        cpu_system_s: 0.5,
        cpu_time_source: 'perf',
        max_rss_bytes: 12_300_000,
        energy: {
          method: 'measured',
          machine_energy_j: 25,
          command_energy_j: 15,
          command_energy_uncertainty_j: 1.5,
          command_energy_ratio: 0.6,
          idle_energy_j: 8,
          above_idle_energy_j: 17,
          idle_power_source: 'learned',
          other_energy_j: 2,
          attribution_model: 'cpu_time',
          baseline_time_s: 1,
          baseline_power_w: 4,
          above_baseline_energy_j: 17,
          domains: [
            {
              id: 'package-0',
              name: 'package-0',
              type: 'cpu',
              method: 'measured',
              energy_j: 20,
              energy_uncertainty_j: 0.0058,
              mean_power_w: 10,
              peak_power_w: 12.5,
            },
            {
              id: 'dram-0',
              name: 'dram-0',
              type: 'memory',
              method: 'estimated',
              energy_j: 5,
              energy_uncertainty_j: null,
              mean_power_w: 2.5,
              peak_power_w: null,
            },
          ],
        },
        programs: null,
        other_programs: null,
        events: null,
        event_ratios: null,
      },
    ],
    statistics: null,
    compared: [],
  });
});

test('createJsonReport has what each program used, and the sum of those beyond 100', () => {
  const programs = Array.from({ length: 102 }, (_, i) => programOf(`program${i}`, 3, 0.5));
  const [first] = runsOf({ ...run, programs });
  assert.equal(first?.programs.length, 100);
  assert.deepEqual(first.programs[0], { name: 'program0', processes: 3, cpu_time_s: 0.5, energy_j: 1 });
  assert.deepEqual(first.other_programs, { programs: 2, processes: 6, cpu_time_s: 1, energy_j: 2 });
});

interface ProgramsOfRun {
  readonly programs: readonly object[];
  readonly other_programs: object;
}

function runsOf(one: RunReport): readonly ProgramsOfRun[] {
  const report = createJsonReport({ command: ['true'], runs: [one], repeat: undefined }, '1.2.3');
  return (JSON.parse(JSON.stringify(report)) as { runs: readonly ProgramsOfRun[] }).runs;
}

test('createJsonReport has mean, interval, median and minimum of repeated runs', () => {
  const runs = [1, 3].map(runOf);
  const report = createJsonReport({ command: ['true'], runs, repeat: reportRepeat(runs) }, '1.2.3');
  const { statistics } = JSON.parse(JSON.stringify(report)) as { statistics: Record<string, unknown> };
  assert.deepEqual(Object.keys(statistics), [
    'drift',
    'wall_time',
    'cpu_time',
    'machine_energy',
    'above_baseline_energy',
    'command_energy',
    'events',
  ]);
  assert.deepEqual(statistics['cpu_time'], {
    mean_s: 3,
    ci95_low_s: 3,
    ci95_high_s: 3,
    stddev_s: 0,
    median_s: 3,
    min_s: 3,
  });
  assert.equal(statistics['above_baseline_energy'], null);
});

test('createJsonReport has units, rates and reasons of events, and what several runs say of them', () => {
  const cycles = {
    name: 'cycles',
    unit: '{event}',
    value: undefined,
    runningRatio: undefined,
    note: 'ENOENT',
  } as const;
  const runs = [1, 3].map((value) => {
    const clock = { name: 'task-clock', unit: 's', value, runningRatio: 0.5, note: undefined } as const;
    const ratio = { kind: 'instructions_per_cycle', name: 'instructions', of: 'cycles', value } as const;
    return runWith({ events: [clock, cycles], ratios: [ratio] });
  });
  const report = createJsonReport({ command: ['true'], runs, repeat: reportRepeat(runs) }, '1.2.3');
  const parsed = JSON.parse(JSON.stringify(report)) as {
    readonly runs: readonly { readonly events: unknown; readonly event_ratios: unknown }[];
    readonly statistics: { readonly events: readonly Record<string, unknown>[] };
  };
  assert.deepEqual(parsed.runs[0]?.events, [
    { name: 'task-clock', unit: 's', value: 1, rate_per_s: 0.5, running_ratio: 0.5, note: null },
    { name: 'cycles', unit: '{event}', value: null, rate_per_s: null, running_ratio: null, note: 'ENOENT' },
  ]);
  assert.deepEqual(parsed.runs[0].event_ratios, [
    { kind: 'instructions_per_cycle', event: 'instructions', of: 'cycles', value: 1 },
  ]);
  assert.deepEqual(
    parsed.statistics.events.map(({ name, unit, mean, min }) => [name, unit, mean, min]),
    [['task-clock', 's', 2, 1]],
  );
});
