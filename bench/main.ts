import { describeError } from '../src/errors.js';
import { accounting } from './accounting.js';
import { agent } from './agent.js';
import { agentScan } from './agent-scan.js';
import { allocation } from './allocation.js';
import type { Benchmark } from './benchmark.js';
import { cgroupScan } from './cgroup-scan.js';
import { compareAgents, parsePeer } from './compare.js';
import { cpuAccounting } from './cpu-accounting.js';
import { crowd } from './crowd.js';
import { databases } from './databases.js';
import { documents } from './documents.js';
import { encoder } from './encoder.js';
import { exec } from './exec.js';
import { file } from './file.js';
import { firstJoules } from './first-joules.js';
import { fleet } from './fleet.js';
import { growth } from './growth.js';
import { histograms } from './histograms.js';
import { ledger } from './ledger.js';
import { rerunWithPowercap } from './moving-tree.js';
import { neighbours } from './neighbours.js';
import { nineDomains } from './nine-domains.js';
import { otlp } from './otlp.js';
import { otlpReceiver } from './otlp-receiver.js';
import { page } from './page.js';
import { perfReceiver } from './perf-receiver.js';
import { prometheusReceiver } from './prometheus-receiver.js';
import { publishFigures, renderMarkdown } from './published-figures.js';
import { raplReceiver } from './rapl-receiver.js';
import { rate } from './rate.js';
import { describeMachine, printTable, tabulate, type Format } from './report.js';
import { sampling } from './sampling.js';
import { soak } from './soak.js';
import { wholePath } from './whole-path.js';

const benchmarks: readonly Benchmark[] = [
  sampling,
  perfReceiver,
  raplReceiver,
  rate,
  encoder,
  documents,
  histograms,
  otlp,
  otlpReceiver,
  prometheusReceiver,
  wholePath,
  nineDomains,
  allocation,
  file,
  databases,
  page,
  ledger,
  agentScan,
  cgroupScan,
  cpuAccounting,
  agent,
  exec,
  firstJoules,
  accounting,
  neighbours,
  crowd,
  soak,
  fleet,
  growth,
  compareAgents,
];

interface Request {
  readonly chosen: readonly { readonly benchmark: Benchmark; readonly args: readonly string[] }[];
  readonly format: Format;
  /** Whether to write the figures to docs/benchmarks.md. */
  readonly isPublished: boolean;
}

/** Everything after `compare` is a peer. */
function parseArguments(args: readonly string[]): Request {
  const format = args.includes('--markdown') ? 'markdown' : 'text';
  const isPublished = args.includes('--publish');
  const words = args.filter((word) => !['--markdown', '--publish'].includes(word));
  const at = words.indexOf(compareAgents.name);
  const [names, peers] = at < 0 ? [words, []] : [words.slice(0, at + 1), words.slice(at + 1)];
  const unknown = names.filter((name) => !benchmarks.some((benchmark) => benchmark.name === name));
  if (unknown.length > 0) {
    const known = benchmarks.map(({ name }) => name).join(', ');
    throw new Error(`Cannot find benchmark "${unknown.join('", "')}": expected one of ${known}`);
  }
  peers.forEach(parsePeer);
  const chosen = benchmarks.filter(({ name, isLong = false }) =>
    names.length === 0 ? !isLong : names.includes(name),
  );
  return {
    format,
    isPublished,
    chosen: chosen.map((benchmark) => ({ benchmark, args: benchmark === compareAgents ? peers : [] })),
  };
}

async function run({ chosen, format, isPublished }: Request): Promise<void> {
  console.log(describeMachine());
  for (const { benchmark, args } of chosen) {
    const measured = await benchmark.measure(args);
    const grid = 'columns' in measured ? measured : tabulate(benchmark.name, measured);
    printTable(benchmark.name, grid, format);
    if (isPublished) publishFigures(benchmark.name, renderMarkdown(grid), describeMachine());
  }
}

function readRequest(): Request | undefined {
  try {
    return parseArguments(process.argv.slice(2));
  } catch (error) {
    console.error(describeError(error));
    process.exitCode = 2;
    return undefined;
  }
}

const request = readRequest();
if (request !== undefined) {
  const needsPowercap = request.chosen.some(({ benchmark }) => benchmark === compareAgents);
  const code = needsPowercap ? rerunWithPowercap() : undefined;
  if (code === undefined) await run(request);
  else process.exitCode = code;
}
