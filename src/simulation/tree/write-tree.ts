import { existsSync, mkdirSync, readdirSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { describeError, UsageError } from '../../errors.js';
import { createWallClock } from '../../linux/clock.js';
import { readBootTimeNs } from '../../linux/clocks.js';
import { writeMessage } from '../../telemetry/write-message.js';
import type { MachineSpec } from '../machine-spec.js';
import { SimulatedTree } from './simulated-tree.js';

/** How a tree is written. */
export interface TreeOptions {
  readonly spec: MachineSpec;
  /** In microseconds; undefined: until a signal. */
  readonly durationUs: number | undefined;
  readonly periodMs: number;
  readonly hasPmu: boolean;
}

/** What became of a tree. */
export interface TreeRun {
  readonly steps: number;
  readonly seconds: number;
  /** Steps that were due while the previous one was still being written. */
  readonly missed: number;
}

/**
 * Keeps a tree moving until the duration is over or the signal comes. Simulated time is the real one since the start.
 * @throws UsageError when the folder is not empty
 */
export async function writeTree(options: TreeOptions, root: string, signal: AbortSignal): Promise<TreeRun> {
  makeFolder(root);
  const { wallNs } = createWallClock();
  const boot = { sinceBootNs: readBootTimeNs(), wallNs: wallNs() };
  const startNs = process.hrtime.bigint();
  const nowUs = () => Number((process.hrtime.bigint() - startNs) / 1000n);
  const { spec, hasPmu, periodMs } = options;
  const tree = explaining(root, () => new SimulatedTree({ spec, root, boot, hasPmu }));
  const write = (us: number) => explaining(root, () => tree.write(us, wallNs));
  try {
    write(0);
    writeMessage(`Writing sys, proc, cgroup and truth.jsonl to ${root} every ${periodMs} ms`);
    return await keepMoving(options, { write, nowUs, signal });
  } finally {
    tree.close();
  }
}

interface Moving {
  write(us: number): void;
  /** Simulated time in microseconds. */
  nowUs(): number;
  readonly signal: AbortSignal;
}

async function keepMoving(options: TreeOptions, { write, nowUs, signal }: Moving): Promise<TreeRun> {
  const { durationUs = Infinity, periodMs } = options;
  const periodUs = Math.round(periodMs * 1000);
  const run = { steps: 0, seconds: 0, missed: 0 };
  for (let tick = 1; tick * periodUs <= durationUs; run.steps++) {
    await waitUntil(tick * periodUs, nowUs, signal);
    if (signal.aborted) break;
    const us = nowUs();
    write(us);
    run.seconds = us / 1e6;
    const next = Math.max(tick + 1, Math.ceil(nowUs() / periodUs));
    run.missed += next - tick - 1;
    tick = next;
  }
  return run;
}

function makeFolder(root: string): void {
  const found = listFolder(root);
  if (found.length === 0) return;
  throw new UsageError(`Cannot write a tree to "${root}": expected a new or empty folder, found files`);
}

function listFolder(root: string): readonly string[] {
  return explaining(root, () => {
    makeFolders(resolve(root));
    return readdirSync(root);
  });
}

/** `recursive` of mkdirSync would try without an end where a folder cannot be made for want of its kind, as in /proc. */
function makeFolders(path: string): void {
  if (existsSync(path)) return;
  makeFolders(dirname(path));
  mkdirSync(path);
}

function explaining<T>(root: string, action: () => T): T {
  try {
    return action();
  } catch (cause) {
    throw new Error(`Cannot write a tree to "${root}": ${describeError(cause)}`, { cause });
  }
}

async function waitUntil(us: number, nowUs: () => number, signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    const ms = (us - nowUs()) / 1000;
    if (ms <= 0) return;
    // Rejects when the signal comes.
    await sleep(Math.min(Math.ceil(ms), 0x7fff_ffff), undefined, { signal }).catch(() => {});
  }
}
