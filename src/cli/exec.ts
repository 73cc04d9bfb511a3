import type { Command } from './command.js';
import { findProgram, ProgramError } from './exec/find-program.js';
import type { CommandEvents } from './exec/command-events.js';
import { measureRun, type RunPlan, type RunRecord } from './exec/measure-run.js';
import { findCommand, parseExecOptions, type ExecOptions } from './exec/options.js';
import { findRawArguments } from './exec/raw-arguments.js';
import { openSession, type Session } from './exec/session.js';
import { writeMessage } from './write-message.js';
import { InterruptedError, SignalRelay } from './exec/signal-relay.js';

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
  -r, --repeat N       measure N runs after a warm-up, each against the machine right before it
      --baseline TIME  measure the machine for so long before each run, and say what the run used beyond that
                       (default: 1s with --repeat, else not at all)
      --interval TIME  time between two readings of the CPU time (default: 100ms)
      --json FILE      write a machine-readable report; - is stdout
  -o, --output FILE    write the summary to a file rather than to stderr
  -q, --quiet          print no summary
  -c, --config FILE    YAML file in the Collector's layout, laid over exec's own configuration; repeat it for
                       more. Exporters that no pipeline names get everything that exec measures.
      --set PATH=VAL   one setting over all files, say receivers.rapl.sampling_interval=1ms
`,
  countOwn: findCommand,
  async run(args) {
    const options = parseExecOptions(args);
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
  const relay = new SignalRelay();
  try {
    const session = await openSession(options);
    const records: RunRecord[] = [];
    try {
      await measureRuns(
        { ...options, path, args: findRawArguments(options.args) },
        { session, relay, events, records },
      );
    } finally {
      relay.finish();
      // What writes the report is loaded now, so that the command did not wait for it.
      const { writeReport } = await import('./exec/write-report.js');
      await session.close();
      writeReport(options, records, session.book);
    }
    return records.at(-1)?.end.exitCode ?? 0;
  } finally {
    relay.close();
  }
}

/** Who counts no events does not wait for what counts them. */
async function findEvents({ events }: ExecOptions): Promise<CommandEvents | undefined> {
  if (events.length === 0) return undefined;
  const { CommandEvents } = await import('./exec/command-events.js');
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

/** Runs the command as often as asked for; a run that fails or is interrupted is the last one. */
async function measureRuns(options: Repeated, measuring: Measuring): Promise<void> {
  const { relay, records } = measuring;
  const count = options.repeat === undefined ? 1 : options.repeat + 1;
  for (let run = 0; run < count; run++) {
    const record = await measureRun(options, measuring);
    records.push(record);
    if (record.end.exitCode !== 0 || relay.interruption.aborted) return;
    // The first of several fills caches.
    if (run === 0 && count > 1) records.pop();
  }
}
