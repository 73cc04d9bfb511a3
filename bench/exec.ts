import { execFileSync } from 'node:child_process';
import { cpSync, mkdtempSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { median, type Benchmark, type Result } from './benchmark.js';

const rounds = 15;
/** Node itself starts faster from version 24 on. */
const maxMs = Number.parseInt(process.versions.node, 10) < 24 ? 140 : 105;

const repository = fileURLToPath(new URL('../../', import.meta.url));

/** A command that says when it began: it is the clock at the other end. */
const clock = ['date', '+%s%N'];

/** What `exec` takes from the call until the command runs, over calling the command itself. */
export const exec: Benchmark = {
  name: 'exec',
  measure() {
    const folder = mkdtempSync(join(tmpdir(), 'joulemetry-bench-'));
    try {
      return Promise.resolve(measureStarts(createPackage(folder)));
    } finally {
      rmSync(folder, { recursive: true });
    }
  },
};

/**
 * The package as it is published, without what depends on nothing in it.
 * @returns the program, which runs the Node that is first in the path
 */
function createPackage(folder: string): string {
  const script = join(repository, 'bundle.mjs');
  execFileSync(process.execPath, [script, join(folder, 'dist')], { stdio: ['ignore', 'ignore', 'pipe'] });
  for (const name of ['bin', 'config', 'package.json'])
    cpSync(join(repository, name), join(folder, name), { recursive: true });
  symlinkSync(join(repository, 'node_modules'), join(folder, 'node_modules'));
  return join(folder, 'bin/joulemetry');
}

function measureStarts(published: string): readonly Result[] {
  const wrapper = ['exec', '--quiet', '--', ...clock];
  const starts = {
    bare: clock,
    node: [process.execPath, '-e', `console.log(Date.now() + '000000')`],
    exec: [published, ...wrapper],
    compiled: [process.execPath, join(repository, 'dist/src/cli/main.js'), ...wrapper],
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

/** @returns milliseconds from the call until the program says what time it is */
function measureStart([program, ...args]: readonly string[]): number {
  const env = { ...process.env, PATH: `${dirname(process.execPath)}:${process.env['PATH'] ?? ''}` };
  const calledNs = BigInt(Date.now()) * 1_000_000n;
  const began = execFileSync(program, args, { env, encoding: 'utf8', stdio: ['ignore', 'pipe', 'inherit'] });
  return Number(BigInt(began.trim()) - calledNs) / 1e6;
}
