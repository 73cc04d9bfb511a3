import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { median, type Benchmark } from './benchmark.js';
import { findPublishedProgram } from './measured-agent.js';

const rounds = 9;
const maxMs = 500;
/** Polling more often would slow down the start that is measured. */
const pollMs = 25;

/** The default agent on its own port, without other listeners. */
const args = [
  'run',
  ...['exporters.prometheus.endpoint=localhost:0', 'service.extensions=[]'].flatMap((setting) => [
    '--set',
    setting,
  ]),
];

/** Time from calling the published default agent until its page has the joules of processes. */
export const firstJoules: Benchmark = {
  name: 'first-joules',
  async measure() {
    const [ours, node]: [number[], number[]] = [[], []];
    for (let round = 0; round < rounds; round++) {
      ours.push(await measureAgent());
      node.push(measureNode());
    }
    const figures = { ours: median(ours), reference: median(node) };
    return [
      {
        what: 'Default agent: from the call to joules of processes on its page, against Node alone',
        unit: 'ms',
        ...figures,
        ratio: undefined,
        budget: `at most ${maxMs} ms`,
        met: figures.ours <= maxMs,
      },
    ];
  },
};

async function measureAgent(): Promise<number> {
  const program = findPublishedProgram();
  const calledMs = performance.now();
  const child = spawn(process.execPath, [program, ...args], { stdio: ['ignore', 'ignore', 'pipe'] });
  const ended = once(child, 'exit');
  try {
    const page = await findPage(createInterface({ input: child.stderr }));
    while (child.exitCode === null) {
      const text = await (await fetch(page)).text();
      if (/^process_energy_joules_total/mu.test(text)) return performance.now() - calledMs;
      await sleep(pollMs);
    }
    throw new Error(`Cannot measure the agent: it ended with exit code ${child.exitCode}`);
  } finally {
    child.kill('SIGTERM');
    await ended;
  }
}

async function findPage(lines: AsyncIterable<string>): Promise<string> {
  let log = '';
  for await (const line of lines) {
    const page = /Serving metrics at (\S+)$/u.exec(line)?.[1];
    if (page !== undefined) return page;
    log += `${line}\n`;
  }
  throw new Error(`Cannot measure the agent: it ended\n${log}`);
}

function measureNode(): number {
  const calledMs = performance.now();
  execFileSync(process.execPath, ['-e', '0']);
  return performance.now() - calledMs;
}
