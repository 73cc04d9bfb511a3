import { execFileSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { type Benchmark, median, type Result } from './benchmark.js';

const rounds = 15;
const maxMs = 250;

const main = fileURLToPath(new URL('../src/cli/main.js', import.meta.url));

/** A command that says when it began: it is the clock at the other end. */
const clock = ['date', '+%s%N'];

/** What `exec` takes from the call until the command runs, over calling the command itself. */
export const exec: Benchmark = {
  name: 'exec',
  measure() {
    const samples = Array.from({ length: rounds }, () => ({
      bare: measureStart(clock),
      node: measureStart([process.execPath, '-e', `console.log(Date.now() + '000000')`]),
      exec: measureStart([process.execPath, main, 'exec', '--quiet', '--', ...clock]),
    }));
    const reference = median(samples.map((sample) => sample.bare));
    const startOf = (name: 'node' | 'exec') => median(samples.map((sample) => sample[name]));
    return Promise.resolve([
      compareStart('exec: from the call to the command running', startOf('exec'), reference),
      {
        ...compareStart('Node alone: from the call to a script running', startOf('node'), reference),
        met: undefined,
        budget: '',
      },
    ]);
  },
};

function compareStart(what: string, ours: number, reference: number): Result {
  const met = ours - reference <= maxMs;
  return { what, unit: 'ms', ours, reference, ratio: undefined, budget: `at most ${maxMs} ms more`, met };
}

/** @returns milliseconds from the call until the program says what time it is */
function measureStart([program, ...args]: readonly string[]): number {
  const calledNs = BigInt(Date.now()) * 1_000_000n;
  const began = execFileSync(program, args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'inherit'] });
  return Number(BigInt(began.trim()) - calledNs) / 1e6;
}
