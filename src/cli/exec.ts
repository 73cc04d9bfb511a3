import { existsSync } from 'node:fs';
import { describeError } from '../component/errors.js';
import { reapOrphansAsInit } from '../linux/orphans.js';
import type { Command } from './command.js';
import { findProgram, ProgramError } from '../exec/find-program.js';
import type { CommandEvents } from '../exec/command-events.js';
import { measureRun, type RunPlan, type RunRecord } from '../exec/measure-run.js';
import { findCommand, parseExecOptions, type ExecOptions } from '../exec/options.js';
import { findRawArguments } from '../exec/raw-arguments.js';
import { openReportTargets } from '../exec/report-targets.js';
import { openSession, type Session } from '../exec/session.js';
import { writeMessage } from '../telemetry/write-message.js';
import { InterruptedError, SignalRelay } from '../exec/signal-relay.js';

/** The instrument: measures one program from its first instruction to its end. */
export const command: Command = {
  name: 'exec',
  summary: 'Measure the time and energy of one command',
  usage: `Usage: joulemetry exec [OPTIONS] [--] COMMAND [ARGS...]

Runs the command and says on stderr what it took: time, CPU time of everything that it started, energy of the
machine meanwhile, and the command's share of it. The command gets everything that joulemetry was started with, as
under env(1): streams and other descriptors, environment, ignored and blocked signals, limits, capabilities. The
exit code is the command's: 128 + n when signal n killed it, 127 when there is no such command, 126 when it may not
be executed. What it leaves running in the background is measured until the command itself ends.

  -e, --event LIST     count perf events of the command and everything that it starts, by perf's names:
                       cycles,instructions,page-faults,L1-dcache-load-misses:u,cpu/event=0x3c/
                       An event that this machine does not know is refused, as by perf.
  -r, --repeat N       measure N runs after a warm-up, each against the machine right before it; a run that fails
                       is the last one
      --baseline TIME  measure the machine for so long before each run, and say what the run used beyond that
                       (default: 1s with --repeat, else not at all)
      --interval TIME  time between two readings of the CPU time (default: 100ms)
      --json FILE      write a machine-readable report; - is stdout, and so is --json without a FILE before --
  -o, --output FILE    write the summary to a file rather than to stderr
  -q, --quiet          print no summary
  -c, --config FILE    YAML file in the Collector's layout, laid over exec's own configuration; repeat it for
                       more. Exporters that no pipeline names get everything that exec measures.
      --set PATH=VAL   one setting over all files, say receivers.rapl.sampling_interval=1ms
`,
  countOwn: findCommand,
  async run(args) {
    const options = parseExecOptions(args);
    if (!existsSync('/proc/self/stat')) {
      throw new Error(`Cannot measure "${options.program}": /proc is not mounted; mount -t proc proc /proc`);
    }
    // The command is started on another thread, and waited for by its pid.
    reapOrphansAsInit(new Set());
    try {
      return await measure(options, findProgram(options.program, process.env['PATH']));
    } catch (error) {
      if (!(error instanceof ProgramError || error instanceof InterruptedError)) throw error;
      writeMessage(`joulemetry: ${error.message}`);
      return error.exitCode;
    }
  },
};

/** @returns the exit code of the last run */
async function measure(options: ExecOptions, path: string): Promise<number> {
  const events = await findEvents(options);
  const targets = openReportTargets(options);
  const relay = new SignalRelay();
  try {
    const session = await openSession(options);
    const records: RunRecord[] = [];
    const plan = { ...options, path, args: findRawArguments(options.args) };
    let isWarmedUp = false;
    try {
      isWarmedUp = await measureRuns(plan, { session, relay, events, records });
    } finally {
      relay.finish();
      // What writes the report is loaded now, so that the command did not wait for it.
      const { writeReport } = await import('../exec/write-report.js');
      await session.close();
      const words = [options.program, ...options.args];
      writeReport({ command: words, records, isRepeated: isWarmedUp, book: session.book }, targets);
    }
    return records.at(-1)?.end.exitCode ?? 0;
  } finally {
    relay.close();
    targets.json?.close();
    targets.summary?.close();
  }
}

/** Who counts no events does not wait for what counts them. */
async function findEvents({ events }: ExecOptions): Promise<CommandEvents | undefined> {
  if (events.length === 0) return undefined;
  const { CommandEvents } = await import('../exec/command-events.js');
  return new CommandEvents(events);
}

interface Measuring {
  readonly session: Session;
  readonly relay: SignalRelay;
  readonly events: CommandEvents | undefined;
  /** Receives every run that ended. */
  readonly records: RunRecord[];
}

type Repeated = RunPlan & Pick<ExecOptions, 'repeat'>;

/**
 * Runs the command as often as asked for; a run that fails or is interrupted is the last one.
 * @returns whether the runs are repetitions after a warm-up
 */
async function measureRuns(options: Repeated, measuring: Measuring): Promise<boolean> {
  const { relay, records } = measuring;
  const { repeat } = options;
  if (repeat === undefined) {
    records.push(await measureRun(options, measuring));
    return false;
  }
  // The first run fills caches.
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

/** Why there is no further run after this one. */
function describeStop({ end }: RunRecord, interruption: AbortSignal): string | undefined {
  if (end.signal !== undefined) return `the command was killed by ${end.signal}`;
  if (end.exitCode !== 0) return `the command ended with exit code ${end.exitCode}`;
  return interruption.aborted ? describeError(interruption.reason) : undefined;
}

function describeStopped(run: number, repeat: number): string {
  return run === 0 ? 'Stopped in the warm-up, which is reported' : `Stopped after ${run} of ${repeat} runs`;
}
