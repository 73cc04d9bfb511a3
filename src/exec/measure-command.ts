import { existsSync } from 'node:fs';
import { describeError } from '../errors.js';
import type { TreeAccounting } from '../linux/bpf/tree-accounting.js';
import { reapOrphansAsInit } from '../linux/children.js';
import { readEffectiveCapabilities } from '../linux/privileges.js';
import { writeMessage } from '../telemetry/write-message.js';
import type { CommandEvents } from './command-counters.js';
import { findProgram, findRawArguments, findRawPath, ProgramError } from './find-program.js';
import {
  measureRun,
  type Instruments,
  type Invocation,
  type RunPlan,
  type RunRecord,
} from './measure-run.js';
import type { ExecOptions } from './options.js';
import { openReportTargets, writeReports } from './report-targets.js';
import { openSession } from './session.js';
import { InterruptedError, SignalRelay } from './signal-relay.js';

/**
 * Exit code when a command succeeded but its report could not be written. env(1) and timeout(1) use it for
 * their own failures.
 */
const unreported = 125;

/**
 * Runs a command, once or repeatedly, and reports its usage.
 * @returns the exit code of the last run, or `unreported`
 * @throws UsageError, ConfigurationError, or Error if this machine cannot measure a command
 */
export async function measureCommand(options: ExecOptions): Promise<number> {
  if (!existsSync('/proc/self/stat')) {
    throw new Error(
      `Cannot measure "${options.program}": expected procfs at /proc, found none; mount -t proc proc /proc`,
    );
  }
  // The command is started on another thread, and waited for by its pid.
  reapOrphansAsInit(new Set());
  try {
    return await measure(options, findInvocation(options));
  } catch (error) {
    if (!(error instanceof ProgramError || error instanceof InterruptedError)) throw error;
    writeMessage(`joulemetry: ${error.message}`);
    return error.exitCode;
  }
}

/** @throws ProgramError when there is no such program */
function findInvocation({ program, args }: ExecOptions): Invocation {
  const [name = Buffer.from(program), ...rest] = findRawArguments([program, ...args]);
  return { name, path: findProgram(name, findRawPath()), args: rest };
}

async function measure(options: ExecOptions, invocation: Invocation): Promise<number> {
  const events = await findEvents(options);
  const targets = openReportTargets(options);
  const relay = new SignalRelay();
  // The kernel verifies the programs in parallel with all other preparations.
  const tree = openTree();
  try {
    const session = await openSession(options);
    const records: RunRecord[] = [];
    const { repeat, baselineMs } = options;
    const plan = { ...invocation, repeat, baselineMs };
    let isWarmedUp = false;
    let isReported = false;
    try {
      isWarmedUp = await measureRuns(plan, { session, relay, events, tree, records });
    } finally {
      relay.finish();
      await session.close();
      const words = [options.program, ...options.args];
      const runs = { command: words, records, isRepeated: isWarmedUp, book: session.book };
      isReported = await writeReports(runs, targets);
    }
    const exitCode = records.at(-1)?.end.exitCode ?? 0;
    return exitCode === 0 && !isReported ? unreported : exitCode;
  } finally {
    relay.close();
    void tree.then((opened) => opened?.close());
    targets.json?.close();
    targets.summary?.close();
  }
}

/** Loads the code for counting events only if events are requested. */
async function findEvents({ events }: ExecOptions): Promise<CommandEvents | undefined> {
  if (events.length === 0) return undefined;
  const { CommandEvents } = await import('./command-counters.js');
  return new CommandEvents(events);
}

/** If eBPF is not permitted, its code is not even loaded. */
async function openTree(): Promise<TreeAccounting | undefined> {
  if (!mayUseBpf(readEffectiveCapabilities())) return undefined;
  const { TreeAccounting: tree } = await import('../linux/bpf/tree-accounting.js');
  // No BTF, or a security policy: a perf event counts the sum instead.
  return tree.open().catch(() => undefined);
}

function mayUseBpf(granted: readonly string[]): boolean {
  return (
    granted.includes('CAP_SYS_ADMIN') || (granted.includes('CAP_BPF') && granted.includes('CAP_PERFMON'))
  );
}

interface Measuring extends Instruments {
  /** Receives every finished run. */
  readonly records: RunRecord[];
}

type Repeated = RunPlan & Pick<ExecOptions, 'repeat'>;

/**
 * Runs the command as often as requested; a run that fails or is interrupted is the last one.
 * @returns whether the runs are repetitions after a warm-up
 */
async function measureRuns(options: Repeated, measuring: Measuring): Promise<boolean> {
  const { relay, records } = measuring;
  const { repeat } = options;
  if (repeat === undefined) {
    records.push(await measureRun(options, measuring));
    return false;
  }
  // The first run warms up caches.
  for (let run = 0; run <= repeat; run++) {
    if (run === 1) records.length = 0;
    const record = await measureRun(options, measuring);
    records.push(record);
    const reason = describeStop(record, relay.interruption);
    if (reason === undefined) continue;
    if (run < repeat) writeMessage(`joulemetry: ${describeStopped(run, repeat)}: ${reason}`);
    return run > 0;
  }
  return true;
}

/** Why no further run follows. */
function describeStop({ end }: RunRecord, interruption: AbortSignal): string | undefined {
  if (end.signal !== undefined) return `the command was killed by ${end.signal}`;
  if (end.exitCode !== 0) return `the command ended with exit code ${end.exitCode}`;
  return interruption.aborted ? describeError(interruption.reason) : undefined;
}

function describeStopped(run: number, repeat: number): string {
  return run === 0
    ? 'Stopped after the warm-up run, which is reported'
    : `Stopped after ${run} of ${repeat} runs`;
}
