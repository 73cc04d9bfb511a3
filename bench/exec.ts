import { execFileSync } from 'node:child_process';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { median, type Benchmark, type Result } from './benchmark.js';
import { findPublishedPackage } from './published-package.js';

const rounds = 15;
/** Node itself starts faster from version 24 on. */
const maxMs = Number.parseInt(process.versions.node, 10) < 24 ? 140 : 105;

/** A command that prints the time at which it started. */
const clock = ['date', '+%s%N'];

/** Time from calling `exec` until the command runs, in addition to calling the command directly. */
export const exec: Benchmark = {
  name: 'exec',
  // The program runs with the first Node in the path.
  measure: () => Promise.resolve(measureStarts(join(findPublishedPackage(), 'bin/joulemetry'))),
};

/** The compiled program, not bundled. */
const compiled = fileURLToPath(new URL('../src/cli/main.js', import.meta.url));

function measureStarts(published: string): readonly Result[] {
  const wrapper = ['exec', '--quiet', '--', ...clock];
  const starts = {
    bare: clock,
    node: [process.execPath, '-e', `console.log(Date.now() + '000000')`],
    exec: [published, ...wrapper],
    compiled: [process.execPath, compiled, ...wrapper],
  };
  type Name = keyof typeof starts;
  const samples = Array.from({ length: rounds }, () => ({
    bare: measureStart(starts.bare),
    node: measureStart(starts.node),
    exec: measureStart(starts.exec),
    compiled: measureStart(starts.compiled),
  }));
  const medianOf = (name: Name) => median(samples.map((sample) => sample[name]));
  const reference = medianOf('bare');
  const compare = (what: string, name: Name) => compareStart(what, medianOf(name), reference);
  const withoutBudget = { met: undefined, budget: '' };
  return [
    compare('exec: from the call to the command running', 'exec'),
    { ...compare('the same as it is compiled, not as published', 'compiled'), ...withoutBudget },
    { ...compare('Node alone: from the call to a script running', 'node'), ...withoutBudget },
  ];
}

function compareStart(what: string, ours: number, reference: number): Result {
  const met = ours - reference <= maxMs;
  return { what, unit: 'ms', ours, reference, ratio: undefined, budget: `at most ${maxMs} ms more`, met };
}

/** @returns milliseconds from the call until the time that the program prints */
function measureStart([program, ...args]: readonly string[]): number {
  const env = { ...process.env, PATH: `${dirname(process.execPath)}:${process.env['PATH'] ?? ''}` };
  const calledNs = BigInt(Date.now()) * 1_000_000n;
  const began = execFileSync(program, args, { env, encoding: 'utf8', stdio: ['ignore', 'pipe', 'inherit'] });
  return Number(BigInt(began.trim()) - calledNs) / 1e6;
}
