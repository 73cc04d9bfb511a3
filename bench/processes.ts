import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { openPidList } from '../src/linux/pid-list.js';

/** Number of processes on the machine during the benchmark. */
const wanted = 300;

/** Processes started for a benchmark. */
export interface Processes {
  /** Number of processes on the machine, these included. */
  readonly count: number;
  end(): void;
}

/** Starts sleeping processes until the machine has 300. */
export async function startProcesses(): Promise<Processes> {
  const missing = Math.max(0, wanted - countProcesses());
  const children: ChildProcess[] = [];
  for (let count = 0; count < missing; count++) children.push(await startSleeper());
  return {
    count: countProcesses(),
    end: () => children.forEach((child) => child.kill()),
  };
}

/** Ends a program started for a benchmark, unless it has already exited. */
export async function endProgram(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  child.kill('SIGTERM');
  await once(child, 'exit');
}

function startSleeper(): Promise<ChildProcess> {
  const child = spawn('sleep', ['600'], { stdio: 'ignore' });
  return new Promise((resolve, reject) => {
    child.once('spawn', () => resolve(child));
    child.once('error', reject);
  });
}

/** Number of processes on this machine. */
export function countProcesses(): number {
  const list = openPidList('/proc');
  try {
    return list.read().length;
  } finally {
    list.close();
  }
}
