import { accounting } from './accounting.js';
import { agent } from './agent.js';
import { agentScan } from './agent-scan.js';
import { allocation } from './allocation.js';
import type { Benchmark, Result } from './benchmark.js';
import { cgroupScan } from './cgroup-scan.js';
import { cpuAccounting } from './cpu-accounting.js';
import { crowd } from './crowd.js';
import { encoder } from './encoder.js';
import { exec } from './exec.js';
import { file } from './file.js';
import { firstJoules } from './first-joules.js';
import { ledger } from './ledger.js';
import { otlp } from './otlp.js';
import { page } from './page.js';
import { perfReceiver } from './perf-receiver.js';
import { raplReceiver } from './rapl-receiver.js';
import { rate } from './rate.js';
import { sampling } from './sampling.js';
import { soak } from './soak.js';
import { wholePath } from './whole-path.js';

const benchmarks: readonly Benchmark[] = [
  sampling,
  perfReceiver,
  raplReceiver,
  rate,
  encoder,
  otlp,
  wholePath,
  allocation,
  file,
  page,
  ledger,
  agentScan,
  cgroupScan,
  cpuAccounting,
  agent,
  exec,
  firstJoules,
  accounting,
  crowd,
  soak,
];

const wanted = process.argv.slice(2);
const chosen = benchmarks.filter(({ name, isLong = false }) =>
  wanted.length === 0 ? !isLong : wanted.includes(name),
);
const unknown = wanted.filter((name) => !benchmarks.some((benchmark) => benchmark.name === name));
if (unknown.length > 0) {
  const names = benchmarks.map(({ name }) => name).join(', ');
  console.error(`Cannot find benchmark "${unknown.join('", "')}": there are ${names}`);
  process.exitCode = 2;
} else for (const benchmark of chosen) await report(benchmark);

async function report({ name, measure }: Benchmark): Promise<void> {
  console.log(`\n${name}`);
  const results = await measure();
  print([['', 'ours', 'reference', 'ratio', 'budget', ''], ...results.map(describe)]);
}

function describe({ what, unit, ours, reference, ratio, budget, met }: Result): string[] {
  const verdict = met === undefined ? '' : met ? 'met' : 'MISSED';
  const figure = (value: number | undefined) => (value === undefined ? '-' : `${round(value)} ${unit}`);
  return [
    what,
    figure(ours),
    figure(reference),
    ratio === undefined ? '-' : `${ratio.toFixed(2)}x`,
    budget,
    verdict,
  ];
}

function round(value: number): string {
  return value >= 1000 ? Math.round(value).toString() : value.toPrecision(3);
}

function print(rows: readonly string[][]): void {
  const widths = rows[0].map((_, column) => Math.max(...rows.map((row) => row[column].length)));
  for (const row of rows)
    console.log(
      row
        .map((cell, column) => cell.padEnd(widths[column]))
        .join('  ')
        .trimEnd(),
    );
}
