import { existsSync } from 'node:fs';
import { escapeControls } from '../component/output.js';
import { describeError } from '../errors.js';
import type { TreeAccounting } from '../linux/bpf/tree-accounting.js';
import { reapOrphansAsInit } from '../linux/children.js';
import { findMissingForBpf } from '../linux/privileges.js';
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
import { commandSeparator, splitAtWord, type CommandLine, type ExecOptions } from './options.js';
import { openReportTargets, writeReports, type CommandRuns } from './report-targets.js';
import { openSession } from './session.js';
import { InterruptedError, SignalRelay } from './signal-relay.js';

/**
 * Exit code when a command succeeded but its report could not be written. env(1) and timeout(1) use it for
 * their own failures.
 */
const unreported = 125;

/**
 * Runs a command, once or repeatedly, or several in turn, and reports their usage.
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
    return await measure(options, findInvocations(options));
  } catch (error) {
    if (!(error instanceof ProgramError || error instanceof InterruptedError)) throw error;
    writeMessage(`joulemetry: ${error.message}`);
    return error.exitCode;
  }
}

/** @throws ProgramError when there is no such program */
function findInvocations(options: ExecOptions): readonly Invocation[] {
  const commands = listCommands(options);
  const words = commands.flatMap(({ program, args }) => [commandSeparator, program, ...args]).slice(1);
  const raw = findRawArguments(words);
  // Without a comparison, the separator is an argument like others.
  const all = commands.length === 1 ? [raw] : splitAtWord(raw, isSeparator);
  return all.map(([name = Buffer.of(), ...args]) => ({ name, path: findProgram(name, findRawPath()), args }));
}

function isSeparator(word: Buffer): boolean {
  return word.toString() === commandSeparator;
}

function listCommands({ program, args, others }: ExecOptions): readonly CommandLine[] {
  return [{ program, args }, ...others];
}

async function measure(options: ExecOptions, invocations: readonly Invocation[]): Promise<number> {
  const events = await findEvents(options);
  const targets = openReportTargets(options);
  const relay = new SignalRelay();
  // The kernel verifies the programs in parallel with all other preparations.
  const noteSum = createSumNote();
  const tree = openTree(noteSum);
  try {
    const session = await openSession(options);
    const commands = listCommands(options).map(createRuns);
    const { repeat, baselineMs } = options;
    const plans = invocations.map((invocation, i) => ({
      ...invocation,
      baselineMs,
      records: commands[i]?.records ?? [],
    }));
    let runs: Measured = { isRepeated: false, last: undefined };
    let isReported = false;
    try {
      runs = await measureRuns(plans, repeat, { session, relay, events, tree, noteSum });
    } finally {
      relay.finish();
      await session.close();
      const { isRepeated } = runs;
      isReported = await writeReports({ commands, isRepeated, recorder: session.recorder }, targets);
    }
    const exitCode = runs.last?.end.exitCode ?? 0;
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

/**
 * If eBPF is not permitted, its code is not even loaded.
 * @param noteSum is passed the reason if it is permitted and fails: no BTF, or a security policy
 */
async function openTree(noteSum: (reason: string) => void): Promise<TreeAccounting | undefined> {
  if (findMissingForBpf().length > 0) return undefined;
  const { TreeAccounting: tree } = await import('../linux/bpf/tree-accounting.js');
  try {
    return await tree.open();
  } catch (error) {
    noteSum(describeError(error));
    return undefined;
  }
}

/** Reports the first reason why CPU time is not divided by program, although eBPF is permitted. */
function createSumNote(): (reason: string) => void {
  let isNoted = false;
  return (reason) => {
    if (isNoted) return;
    isNoted = true;
    writeMessage(
      `joulemetry: Cannot divide the CPU time of the command by program: ${reason}; continuing with its sum`,
    );
  };
}

function createRuns({ program, args }: CommandLine): CommandRuns & { readonly records: RunRecord[] } {
  return { command: [program, ...args], records: [] };
}

interface RecordedPlan extends RunPlan {
  /** Receives every finished run. */
  readonly records: RunRecord[];
}

interface Measured {
  /** Whether the runs are repetitions after a warm-up. */
  readonly isRepeated: boolean;
  readonly last: RunRecord | undefined;
}

/**
 * Runs each command as often as requested, one after the other, in every second round in reverse order: so a
 * trend of the machine concerns all alike. A run that fails or is interrupted is the last one.
 * @param repeat undefined: once, without a warm-up
 */
async function measureRuns(
  plans: readonly RecordedPlan[],
  repeat: number | undefined,
  instruments: Instruments,
): Promise<Measured> {
  let last: RunRecord | undefined;
  // The first round warms up caches.
  for (let round = 0; round <= (repeat ?? 0); round++) {
    if (round === 1) for (const { records } of plans) records.length = 0;
    for (const plan of round % 2 === 0 ? plans : plans.toReversed()) {
      last = await measureRun(plan, instruments);
      plan.records.push(last);
      const subject = plans.length === 1 ? 'the command' : `"${escapeControls(plan.name.toString())}"`;
      const reason = describeStop(subject, last, instruments.relay.interruption);
      if (reason === undefined) continue;
      const isLast = round === (repeat ?? 0) && plan === plans.at(round % 2 === 0 ? -1 : 0);
      if (!isLast) writeMessage(`joulemetry: ${describeStopped(round, repeat ?? 0)}: ${reason}`);
      return { isRepeated: round > 0, last };
    }
  }
  return { isRepeated: repeat !== undefined, last };
}

/** Why no further run follows. */
function describeStop(subject: string, { end }: RunRecord, interruption: AbortSignal): string | undefined {
  if (end.signal !== undefined) return `${subject} was killed by ${end.signal}`;
  if (end.exitCode !== 0) return `${subject} ended with exit code ${end.exitCode}`;
  return interruption.aborted ? describeError(interruption.reason) : undefined;
}

function describeStopped(run: number, repeat: number): string {
  return run === 0
    ? 'Stopped after the warm-up run, which is reported'
    : `Stopped after ${run} of ${repeat} runs`;
}
