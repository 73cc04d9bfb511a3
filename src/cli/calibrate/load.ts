import { spawn, type ChildProcess } from 'node:child_process';
import { availableParallelism } from 'node:os';
import type { Load } from './run-phases.js';

/** Keeps a CPU busy, and exits when this process is gone, however it ended. */
const busyLoop = 'const p=process.ppid;for(;;){for(let i=0;i<1e8;i++);if(process.ppid!==p)process.exit();}';

/** Processes that keep CPUs busy, more with each level. */
export class BusyLoad implements Load {
  readonly levels: readonly string[];
  readonly #counts: readonly number[];
  #children: ChildProcess[] = [];

  /** @param levels number of levels; with fewer CPUs, one level per CPU */
  constructor(levels: number, cpus = availableParallelism()) {
    const counts = Array.from({ length: levels }, (_, i) => Math.round(((i + 1) * cpus) / levels));
    this.#counts = [...new Set(counts)].filter((count) => count > 0);
    this.levels = this.#counts.map((count) => `${count} of ${cpus} CPUs busy`);
  }

  start(level: number): void {
    this.stop();
    const count = this.#counts[level] ?? 0;
    this.#children = Array.from({ length: count }, () =>
      spawn(process.execPath, ['-e', busyLoop], { stdio: 'ignore' }),
    );
  }

  stop(): void {
    for (const child of this.#children) child.kill('SIGKILL');
    this.#children = [];
  }
}

/** A shell command that is restarted whenever it exits. */
export class CommandLoad implements Load {
  readonly levels: readonly string[];
  readonly #command: string;
  readonly #onFailure: (reason: string) => void;
  #child: ChildProcess | undefined;

  /** @param onFailure notified when the command fails by itself */
  constructor(command: string, onFailure: (reason: string) => void) {
    this.#command = command;
    this.#onFailure = onFailure;
    this.levels = ['load'];
  }

  start(): void {
    this.stop();
    this.#spawn();
  }

  stop(): void {
    const child = this.#child;
    this.#child = undefined;
    // The command may have started other processes: its whole group is ended.
    if (child?.pid !== undefined) endGroup(child.pid);
  }

  #spawn(): void {
    const child = spawn('/bin/sh', ['-c', this.#command], { stdio: 'ignore', detached: true });
    this.#child = child;
    child.on('error', (error) => this.#onFailure(error.message));
    child.on('exit', (code, signal) => {
      if (this.#child !== child) return;
      if (code === 0) return this.#spawn();
      this.#child = undefined;
      this.#onFailure(code === null ? `signal ${signal}` : `exit code ${code}`);
    });
  }
}

function endGroup(pid: number): void {
  try {
    process.kill(-pid, 'SIGTERM');
  } catch {
    // It has ended by itself.
  }
}
