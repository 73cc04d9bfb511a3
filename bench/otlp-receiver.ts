import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import type { Benchmark, Result } from './benchmark.js';
import type { SentLoad } from './otlp-load.js';

const minPointsPerSecond = 1e6;

const loads: readonly (readonly [load: SentLoad, what: string])[] = [
  ['sampler', '4 series, 2,048 rows'],
  ['scan', '500 resources, 16 series each'],
];

const ways = [
  ['grpc', 'none'],
  ['grpc', 'gzip'],
  ['http', 'none'],
  ['http', 'gzip'],
] as const;

/** Receiving OTLP: points per second of CPU time of the receiving process, from the socket to the next consumer. */
export const otlpReceiver: Benchmark = {
  name: 'otlp-receiver',
  async measure() {
    const results: Result[] = [];
    for (const [load, what] of loads) {
      results.push(describe(`Decode requests: ${what}`, await measure('decode', load)));
      for (const [protocol, compression] of ways) {
        const rate = await measure(protocol, load, compression);
        results.push(describe(`OTLP/${protocol}, compression ${compression}: ${what}`, rate));
      }
    }
    return results;
  },
};

const run = promisify(execFile);

/** Each row has a process of its own: collections would take longer with what other rows left behind. */
async function measure(...args: readonly string[]): Promise<number> {
  const program = fileURLToPath(new URL('./otlp-receiver-process.js', import.meta.url));
  const { stdout } = await run(process.execPath, [program, ...args]);
  return Number(stdout);
}

function describe(what: string, ours: number): Result {
  const budget = 'at least 1,000,000';
  return {
    what,
    unit: 'points/s',
    ours,
    reference: undefined,
    ratio: undefined,
    budget,
    met: ours >= minPointsPerSecond,
  };
}
