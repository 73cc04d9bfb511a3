import assert from 'node:assert/strict';
import { test } from 'node:test';
import { compareRuns } from './comparison.js';
import { createComparisonText } from './comparison-text.js';
import { createJsonReport } from './json-report.js';
import { reportRepeat, type ExecReport, type RunReport } from './report.js';
import { energy, run, runOf } from './report.fixture.js';

/** Runs that take this many seconds and use as many joules, of which the command uses half. */
function runsOf(...values: readonly number[]): readonly RunReport[] {
  return values.map((joules) => {
    const shares = { command: joules / 2, commandUncertainty: 0, idle: 0, others: joules / 2 };
    const own: RunReport['energy'] = { ...energy, joules, shares, baseline: undefined };
    return Object.assign({}, run, { wallSeconds: joules, energy: own });
  });
}

function reportOf(name: string, runs: readonly RunReport[], first?: readonly RunReport[]): ExecReport {
  const comparison = first && compareRuns(runs, first);
  return { command: [name], runs, repeat: reportRepeat(runs), comparison };
}

const first = runsOf(4, 4.2, 3.8);
const second = runsOf(2, 2.1, 1.9);

test('compareRuns compares what is known of every run', () => {
  const { wallSeconds, cpuSeconds, machineJoules, netJoules, commandJoules } = compareRuns(second, first);
  const known = [wallSeconds, cpuSeconds, machineJoules, commandJoules].map((one) => one?.difference);
  assert.deepEqual(
    known.map((value) => value?.toFixed(9)),
    ['-2.000000000', '0.000000000', '-2.000000000', '-1.000000000'],
  );
  assert.equal(netJoules, undefined);
  assert.equal(compareRuns([...second, runOf(2)], first).machineJoules, undefined);
});

test('createComparisonText has the statistics of each command and the differences from the first', () => {
  const text = createComparisonText([reportOf('old', first), reportOf('new', second, first)]);
  const [, old = '', own = '', differences = ''] = text.split(
    /joulemetry exec: |\n(?=new, compared with old\n)/,
  );
  assert.match(old, /^old\n\n.*\n {2}wall time +4\.000 s/s);
  assert.match(own, /^new\n\n.*\n {2}wall time +2\.000 s/s);
  assert.match(
    differences,
    /\n {2}wall time +-2\.000 s +\+-415\.5 ms +0\.500x +0\.446x to 0\.561x +< 0\.001\n/,
  );
  assert.match(differences, /\n {2}CPU time +0 s +\+-0 s +1\.000x +1\.000x to 1\.000x +1\.000\n/);
  assert.match(differences, /\n {2}machine +-2\.000 J/);
  assert.doesNotMatch(differences, /above baseline|no ratio/);
});

test('createComparisonText says why there is no ratio to a mean that may be 0', () => {
  const scattered = runsOf(0.1, 9, 0.2);
  const text = createComparisonText([reportOf('old', scattered), reportOf('new', second, scattered)]);
  assert.match(text, /\n {2}wall time +-1\.100 s +\+-\S+ s +- +- +0\.\d+\n/);
  assert.match(text, /\n {2}-: there is no ratio, since the mean of the first command may be 0\n/);
});

test('createComparisonText says that a single run cannot be compared', () => {
  const [one, other] = [runsOf(1), runsOf(2)];
  const text = createComparisonText([reportOf('old', one), reportOf('new', other, one)]);
  assert.match(text, /at least two runs of each are needed/);
});

test('createJsonReport has the differences with their intervals, t and p', () => {
  const others = [reportOf('new', second, first)];
  const report = createJsonReport(reportOf('old', first), '1.2.3', others) as {
    readonly command: unknown;
    readonly compared: readonly {
      readonly command: unknown;
      readonly differences: Record<string, Record<string, number> | null>;
    }[];
  };
  const [{ command, differences } = { command: undefined, differences: {} }] = report.compared;
  assert.deepEqual([report.command, command], [['old'], ['new']]);
  const { machine_energy: machine, above_baseline_energy: net } = differences;
  assert.equal(net, null);
  const keys = [
    'difference_j',
    'ci95_low_j',
    'ci95_high_j',
    'ratio',
    'ratio_ci95_low',
    'ratio_ci95_high',
    'welch_t',
    'degrees_of_freedom',
    'p_value',
  ];
  assert.deepEqual(Object.keys(machine ?? {}), keys);
  assert.deepEqual([machine?.['difference_j']?.toFixed(9), machine?.['ratio']], ['-2.000000000', 0.5]);
  assert.equal(machine?.['degrees_of_freedom']?.toFixed(3), '2.941');
});
