import { setTimeout } from 'node:timers/promises';
import { startStopped, type ChildEnd, type StoppedChild } from '../../linux/stopped-child.js';
import type { Attributes } from '../../model/series.js';
import { readCommandIdentity } from './command-identity.js';
import type { CommandCounters } from './command-counters.js';
import { CommandCpu, type CommandCpuTime } from './command-cpu.js';
import type { CommandCounts, CommandEvents } from './command-events.js';
import { CommandMemory } from './command-memory.js';
import type { Session } from './session.js';
import type { SignalRelay } from './signal-relay.js';

/** What to run, and how. */
export interface RunPlan {
  /** A path, or a name that PATH leads to. */
  readonly program: string;
  readonly args: readonly string[];
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
}

/**
 * Runs the command once, from a stopped process to its end.
 * @throws InterruptedError when a signal came before it began
 */
export async function measureRun(plan: RunPlan, instruments: Instruments): Promise<RunRecord> {
  const { session, relay } = instruments;
  const baselineMark = await measureBaseline(plan.baselineMs, session, relay);
  const child = await startStopped(plan.program, plan.args);
  const { cpu, counters } = await attach(child, instruments);
  const startedAt = new Date();
  const attributes = readCommandIdentity(child.pid, plan.program);
  relay.target = (signal) => child.signal(signal);
  let startedMs = NaN;
  const mark = session.begin({
    resource: { attributes },
    release() {
      startedMs = performance.now();
      child.release();
    },
    readCpuNs: () => cpu.readNs(),
    finishCpuNs: () => cpu.finish().totalNs,
  });
  const memory = new CommandMemory(child.pid);
  const end = await child.ended;
  const wallSeconds = (performance.now() - startedMs) / 1000;
  relay.target = undefined;
  session.end();
  const counts = counters?.finish();
  await session.flush();
  const maxRssBytes = memory.finish();
  const measured = { cpu: cpu.finish(), counts, maxRssBytes };
  return { startedAt, wallSeconds, end, ...measured, identity: attributes, mark, baselineMark };
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

/** What follows a command. */
interface Attached {
  readonly cpu: CommandCpu;
  readonly counters: CommandCounters | undefined;
}

/** Gets ready to follow the command. Whatever goes wrong, no stopped process stays behind. */
async function attach(
  child: StoppedChild,
  { session, relay: { interruption }, events }: Instruments,
): Promise<Attached> {
  try {
    // The meters' readings right before the release are the boundary.
    await session.flush();
    interruption.throwIfAborted();
    const counters = events?.open(child.pid);
    return { cpu: new CommandCpu(child.pid), counters };
  } catch (error) {
    child.signal('SIGKILL');
    await child.ended;
    throw error;
  }
}
