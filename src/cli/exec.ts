import { measureCommand } from '../exec/measure-command.js';
import { findCommand, parseExecOptions } from '../exec/options.js';
import type { Command } from './command.js';

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
  run: (args) => measureCommand(parseExecOptions(args)),
};
