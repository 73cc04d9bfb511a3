import { setTimeout as sleep } from 'node:timers/promises';
import type { Benchmark, Grid } from './benchmark.js';
import { ComparedAgent, type Measured, type Peer } from './compared-agent.js';
import { findPublishedProgram } from './measured-agent.js';
import { joulesPerCpuSecond, startMovingTree, type MovingTree } from './moving-tree.js';
import { readTreeCpuMs } from './process-tree.js';

/** Time for agents to start, and for ours to compile its hot code. */
const warmUpMs = Number(process.env['COMPARE_WARM_UP_SECONDS'] ?? 60) * 1000;
const seconds = Number(process.env['COMPARE_SECONDS'] ?? 60);
const tree = { sleepers: 300, birthsPerSecond: 40, cpuUs: 5000 };

/**
 * Runs other agents and ours at the same time, so that all observe the same load: 300 sleeping processes, 40
 * new processes a second that use 5 ms of CPU time each, and a bystander that uses a tenth of one CPU. Every
 * agent is scraped once a second, or at the interval that was requested.
 */
export const compareAgents: Benchmark = {
  name: 'compare',
  isLong: true,
  async measure(args) {
    const peers = [ours(), ...args.map(parsePeer)];
    const moving = await startMovingTree(tree);
    const agents: ComparedAgent[] = [];
    try {
      for (const peer of peers) agents.push(await ComparedAgent.start(peer));
      await sleep(warmUpMs);
      return await measureAll(agents, moving);
    } finally {
      for (const agent of agents) await agent.end();
      await moving.end();
    }
  },
};

function ours(): Peer {
  return {
    name: 'joulemetry',
    command: `'${process.execPath}' '${findPublishedProgram()}' run`,
    scrapeEverySeconds: 1,
  };
}

const peerSyntax = /^(?<name>[^=@]+)(?:@(?<every>[1-9]\d*))?=(?<command>.+)$/su;

/**
 * Parses `PEER=COMMAND`, or `PEER@SECONDS=COMMAND` for an agent that is to be scraped less often than once a
 * second: Scaphandre refreshes its page only for a request that comes 3 s after the previous one.
 * @throws Error when the text has neither form
 */
export function parsePeer(text: string): Peer {
  const { name, every = '1', command } = peerSyntax.exec(text)?.groups ?? {};
  if (name !== undefined && command !== undefined) {
    return { name, command, scrapeEverySeconds: Number(every) };
  }
  throw new Error(`Cannot compare: expected PEER=COMMAND or PEER@SECONDS=COMMAND, found "${text}"`);
}

async function measureAll(agents: readonly ComparedAgent[], moving: MovingTree): Promise<Grid> {
  const readTruth = () => ({ joules: moving.readJoules(), bystanderPid: moving.bystanderPid });
  for (const agent of agents) await agent.begin();
  const [beganMs, beforeMs] = [performance.now(), readTreeCpuMs(moving.bystanderPid)];
  let scrapes: readonly Promise<void>[] = [];
  for (let second = 0; second <= seconds; second++) {
    await sleep(Math.max(0, beganMs + second * 1000 - performance.now()));
    scrapes = agents.map((agent) => agent.scrape(second, readTruth));
  }
  await Promise.all(scrapes);
  const bystanderSeconds = (readTreeCpuMs(moving.bystanderPid) - beforeMs) / 1000;
  const usedJoules = bystanderSeconds * joulesPerCpuSecond;
  return {
    columns: [
      '',
      'CPU per second',
      'private memory',
      'resident memory',
      'missed ticks',
      'energy of the machine, of the truth',
      `charged to a bystander that used ${usedJoules.toFixed(1)} J`,
    ],
    rows: agents.map((agent) => [agent.name, ...describe(agent.finish())]),
  };
}

function describe(measured: Measured | string): string[] {
  if (typeof measured === 'string') return [`ended: ${measured}`, '-', '-', '-', '-', '-'];
  const { cpuMsPerSecond, privateMegabytes, residentMegabytes } = measured;
  const { missed, energyRatio, bystanderJoules } = measured;
  return [
    `${cpuMsPerSecond.toFixed(1)} ms`,
    `${privateMegabytes.toFixed(1)} MB`,
    `${residentMegabytes.toFixed(1)} MB`,
    missed === undefined ? '-' : String(missed),
    energyRatio === undefined ? '-' : `${(energyRatio * 100).toFixed(1)} %`,
    bystanderJoules === undefined ? '-' : `${bystanderJoules.toFixed(1)} J`,
  ];
}
