import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { openPidList } from '../src/linux/pid-list.js';

/** How many processes the machine is to have. */
const wanted = 300;

/** Processes that were started for a benchmark. */
export interface Processes {
  /** How many the machine has with them. */
  readonly count: number;
  end(): void;
}

/** Starts processes that sleep, until the machine has 300. */
export async function startProcesses(): Promise<Processes> {
  const missing = Math.max(0, wanted - countProcesses());
  const children: ChildProcess[] = [];
  for (let count = 0; count < missing; count++) children.push(await startSleeper());
  return {
    count: countProcesses(),
    end: () => children.forEach((child) => child.kill()),
  };
}

/** Ends a program that was started for a benchmark, unless it has ended by itself. */
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

/** How many processes this machine has. */
export function countProcesses(): number {
  const list = openPidList('/proc');
  try {
    return list.read().length;
  } finally {
    list.close();
  }
}
