import { measureCommand } from '../exec/measure-command.js';
import { findCommand, parseExecOptions } from '../exec/options.js';
import type { Command } from './command.js';

/** Measures one program, from its first instruction to its exit. */
export const command: Command = {
  name: 'exec',
  summary: 'Run a command and report the time and energy that it used',
  usage: `Usage: joulemetry exec [OPTIONS] [--] COMMAND [ARGS...]

Runs COMMAND and reports on stderr how long it took, the CPU time that it and
its child processes used, the energy that the machine used meanwhile, and the
share of that energy attributed to the command. Processes that it leaves running
in the background are measured until COMMAND itself exits. The meters are read
directly before and after the run: the energy of the machine, though not that of
the command, includes these readings, which take some milliseconds.

With CAP_BPF and CAP_PERFMON (or as root) every descendant is followed, even one
that runs briefly or whose parents have exited, and the report lists the CPU
time and the energy of each program. Exporters get all processes of a program as
one resource, with COMMAND's pid as process.ancestor.pid.

COMMAND inherits everything that joulemetry was started with, as under env(1):
open files, environment, ignored and blocked signals, limits and capabilities.

Options:
  -e, --event LIST      count perf events of the command and its child
                        processes. LIST has the syntax of perf:
                        cycles,instructions,page-faults,
                        L1-dcache-load-misses:u,cpu/event=0x3c/
                        An unknown name is an error. An event that this machine
                        does not count is shown as <not supported>.
  -r, --repeat N        run the command once to warm up and then N times, and
                        report means and confidence intervals. Stops after a
                        failed run.
      --compare         compare commands with "--vs" between them:
                        exec --compare -- gzip -k FILE --vs xz -k FILE
                        Each is run once to warm up; then all are run in turn,
                        10 times or as often as --repeat sets. The report has
                        the statistics of each command, and the difference and
                        the ratio of each one to the first, with confidence
                        intervals (of the ratio by Fieller's theorem) and
                        Welch's t-test.
      --baseline TIME   measure the machine for this long before each run, and
                        report how much more energy the run used (default: 1s
                        with --repeat or --compare, otherwise off)
      --floor FILE      separate idle energy by the floors that an agent has
                        learned on this machine and keeps in FILE (setting
                        state_file of the processor attribution). FILE is not
                        changed.
      --interval TIME   time between two readings of CPU time (default: 100ms)
      --json FILE       write the report as JSON; "-" is stdout. FILE may be
                        omitted before -- or another option; the report then
                        goes to stdout.
  -o, --output FILE     write the report to a file instead of stderr
  -q, --quiet           do not print the report
  -c, --config FILE     YAML file in the format of the OpenTelemetry Collector,
                        merged into the built-in configuration of exec. Repeat
                        it for more files. An exporter that is in no pipeline
                        receives everything that exec measures.
      --set PATH=VALUE  override one setting, for example
                        receivers.rapl.sampling_interval=1ms

Exits with the exit code of COMMAND (of the last of several runs), or with
  128+N  signal N killed COMMAND
  127    COMMAND was not found
  126    COMMAND was found, but cannot be executed
  125    COMMAND succeeded, but a report could not be written
  2      an option or the configuration is not valid
  1      nothing can be measured, and COMMAND was not run
`,
  countOwn: findCommand,
  isWrapper: true,
  run: (args) => measureCommand(parseExecOptions(args)),
};
