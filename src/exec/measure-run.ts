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

/** What to run. Names, paths and arguments are bytes, which need not be UTF-8. */
export interface Invocation {
  /** What the command calls the program: a path, or a name that PATH leads to. */
  readonly name: Buffer;
  /** Where the program is. */
  readonly path: Buffer;
  readonly args: readonly Buffer[];
}

/** What to run, and how. */
export interface RunPlan extends Invocation {
  /** How long the machine is measured before; undefined: not at all. */
  readonly baselineMs: number | undefined;
}

/** A run that has ended, and where in the session's book its energy is to be found. */
export interface RunRecord {
  readonly startedAt: Date;
  readonly wallSeconds: number;
  readonly end: ChildEnd;
  readonly cpu: CommandCpuTime;
  /** Undefined where no events were asked for. */
  readonly counts: CommandCounts | undefined;
  /** Undefined where it is not known. */
  readonly maxRssBytes: number | undefined;
  /** The attributes by which the command differs from every other process. */
  readonly identity: Attributes;
  /** The mark at which it began. */
  readonly mark: number;
  /** The mark at which the time before it, in which nothing was run, began. */
  readonly baselineMark: number | undefined;
}

/** What measures a run. */
export interface Instruments {
  readonly session: Session;
  readonly relay: SignalRelay;
  /** Undefined: none are counted. */
  readonly events: CommandEvents | undefined;
  /** Follows the tree of the command exactly; undefined where that is not permitted. */
  readonly tree: Promise<TreeAccounting | undefined>;
}

/**
 * Runs the command once, from a process that waits to its end.
 * @throws InterruptedError when a signal came before it began, and ProgramError when it cannot be executed
 */
export async function measureRun(plan: RunPlan, instruments: Instruments): Promise<RunRecord> {
  const { session, relay } = instruments;
  const baselineMark = await measureBaseline(plan.baselineMs, session, relay);
  try {
    return { ...(await measureProgram(plan, instruments)), baselineMark };
  } catch (error) {
    if (!(error instanceof ExecError)) throw error;
    if (error.code !== 'ENOEXEC') throw describeExecError(plan.name, error);
    // A script without a first line that names its interpreter: execvp(3) runs it with this one.
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
  // Rejects with an AbortError of its own; what counts is the reason.
  await setTimeout(durationMs, undefined, { signal: interruption }).catch(() =>
    interruption.throwIfAborted(),
  );
  await session.mark();
  return mark;
}

/** What has been opened to follow a command. */
interface Followers {
  readonly cpu: CommandCpu | undefined;
  readonly counters: CommandCounters | undefined;
}

/** All that follows a command. */
interface Attached extends Followers {
  readonly cpu: CommandCpu;
  /** Who it is. */
  readonly attributes: Attributes;
}

/** Gets ready to follow the command. Whatever goes wrong, no waiting process stays behind. */
async function attach(
  child: HeldChild,
  { sinceNs, path }: { readonly sinceNs: bigint; readonly path: Buffer },
  { session, relay: { interruption }, events, tree }: Instruments,
): Promise<Attached> {
  let counters: CommandCounters | undefined;
  let cpu: CommandCpu | undefined;
  try {
    counters = events?.open(child.pid);
    cpu = openCommandCpu(child.pid, await tree, sinceNs);
    const attributes = readCommandIdentity(child.pid, path);
    // The meters' readings right before the release are the boundary.
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

/** Closes what follows a command; what has finished already stays so. */
function detach({ cpu, counters }: Followers): void {
  cpu?.finish();
  counters?.finish();
}
