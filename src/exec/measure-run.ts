import { setTimeout } from 'node:timers/promises';
import type { TreeAccounting } from '../linux/bpf/tree-accounting.js';
import { readBootTimeNs } from '../linux/clocks.js';
import { ExecError, startHeld, type ChildEnd, type HeldChild } from '../linux/held-child.js';
import type { Attributes } from '../model/series.js';
import type { CommandCounters, CommandCounts, CommandEvents } from './command-counters.js';
import { readCommandIdentity } from './command-identity.js';
import { CommandPrograms } from './command-programs.js';
import { CommandMemory, openCommandCpu, type CommandCpu, type CommandCpuTime } from './command-usage.js';
import { describeExecError } from './find-program.js';
import type { Session } from './session.js';
import type { SignalRelay } from './signal-relay.js';

/** The program to run. Names, paths and arguments are bytes, which need not be UTF-8. */
export interface Invocation {
  /** The program as the command line names it: a path, or a name to find in PATH. */
  readonly name: Buffer;
  /** The path of the program. */
  readonly path: Buffer;
  readonly args: readonly Buffer[];
}

/** The program and how to run it. */
export interface RunPlan extends Invocation {
  /** How long the machine is measured before; undefined: not at all. */
  readonly baselineMs: number | undefined;
}

/** A finished run, and the marks of its energy in the session's recorder. */
export interface RunRecord {
  readonly startedAt: Date;
  readonly wallSeconds: number;
  readonly end: ChildEnd;
  readonly cpu: CommandCpuTime;
  /** Undefined if no events were requested. */
  readonly counts: CommandCounts | undefined;
  /** Undefined if unknown. */
  readonly maxRssBytes: number | undefined;
  /** The attributes by which the command differs from every other process. */
  readonly identity: Attributes;
  /** The mark at its start. */
  readonly mark: number;
  /** The mark at the start of the baseline before it, when nothing was run. */
  readonly baselineMark: number | undefined;
}

/** Measures runs. */
export interface Instruments {
  readonly session: Session;
  readonly relay: SignalRelay;
  /** Undefined: no events are counted. */
  readonly events: CommandEvents | undefined;
  /** Measures the tree of the command exactly; undefined if that is not permitted. */
  readonly tree: Promise<TreeAccounting | undefined>;
  /** Receives the reason why the tree could not be measured exactly, although that is permitted. */
  readonly noteSum: (reason: string) => void;
}

/**
 * Runs the command once, in a process that was held before its start.
 * @throws InterruptedError if a signal came before its start, ProgramError if it cannot be executed
 */
export async function measureRun(plan: RunPlan, instruments: Instruments): Promise<RunRecord> {
  const { session, relay } = instruments;
  const baselineMark = await measureBaseline(plan.baselineMs, session, relay);
  try {
    return { ...(await measureProgram(plan, instruments)), baselineMark };
  } catch (error) {
    if (!(error instanceof ExecError)) throw error;
    if (error.code !== 'ENOEXEC') throw describeExecError(plan.name, error);
    // Runs scripts without an interpreter line, as in execvp(3).
    const shell = Buffer.from('/bin/sh');
    const script = { ...plan, name: shell, path: shell, args: [plan.path, ...plan.args] };
    return { ...(await measureProgram(script, instruments)), baselineMark };
  }
}

async function measureProgram(
  plan: RunPlan,
  instruments: Instruments,
): Promise<Omit<RunRecord, 'baselineMark'>> {
  const sinceNs = readBootTimeNs();
  const child = await startHeld(plan.name, plan.args);
  const attached = await attach(child, { sinceNs, path: plan.path }, instruments);
  try {
    return await measureChild(child, attached, instruments);
  } finally {
    detach(attached);
  }
}

async function measureChild(
  child: HeldChild,
  { cpu, counters, attributes }: Attached,
  { session, relay }: Instruments,
): Promise<Omit<RunRecord, 'baselineMark'>> {
  const startedAt = new Date();
  relay.target = (signal) => child.signal(signal);
  let startedMs = NaN;
  const programs = new CommandPrograms(attributes);
  const mark = session.begin({
    release() {
      startedMs = performance.now();
      child.release();
    },
    readParts: () => programs.identify(cpu.read()),
    settle: () => cpu.settle(),
    finishParts: () => programs.identify(cpu.finish().programs),
  });
  const memory = new CommandMemory(child.pid);
  const end = await child.ended.finally(() => {
    relay.target = undefined;
    memory.stop();
  });
  const wallSeconds = (performance.now() - startedMs) / 1000;
  const ended = session.end();
  const counts = counters?.finish();
  await ended;
  await session.flush();
  const measured = { cpu: cpu.finish(), counts, maxRssBytes: memory.finish() };
  return { startedAt, wallSeconds, end, ...measured, identity: attributes, mark };
}

async function measureBaseline(
  durationMs: number | undefined,
  session: Session,
  { interruption }: SignalRelay,
): Promise<number | undefined> {
  if (durationMs === undefined) return undefined;
  const mark = await session.mark();
  // setTimeout rejects with an AbortError of its own; the reason matters.
  await setTimeout(durationMs, undefined, { signal: interruption }).catch(() =>
    interruption.throwIfAborted(),
  );
  await session.mark();
  return mark;
}

/** What was opened to measure a command. */
interface Followers {
  readonly cpu: CommandCpu | undefined;
  readonly counters: CommandCounters | undefined;
}

/** Everything that measures a command. */
interface Attached extends Followers {
  readonly cpu: CommandCpu;
  /** Its identity. */
  readonly attributes: Attributes;
}

/** Prepares the measurement of the command. If anything fails, no waiting process is left behind. */
async function attach(
  child: HeldChild,
  { sinceNs, path }: { readonly sinceNs: bigint; readonly path: Buffer },
  { session, relay: { interruption }, events, tree, noteSum }: Instruments,
): Promise<Attached> {
  let counters: CommandCounters | undefined;
  let cpu: CommandCpu | undefined;
  try {
    counters = events?.open(child.pid);
    cpu = openCommandCpu(child.pid, { tree: await tree, sinceNs, noteSum });
    const attributes = readCommandIdentity(child.pid, path);
    // The meter readings immediately before the release are the boundary.
    await session.flush();
    interruption.throwIfAborted();
    return { cpu, counters, attributes };
  } catch (error) {
    child.signal('SIGKILL');
    await child.ended;
    detach({ cpu, counters });
    throw error;
  }
}

/** Closes what measures a command; closing it again does nothing. */
function detach({ cpu, counters }: Followers): void {
  cpu?.finish();
  counters?.finish();
}
