import { formatJson } from '../component/escape-controls.js';
import { exitCodes, type Command } from './command.js';
import { waitForEnd } from './signals.js';
import { parseSimulateOptions } from './simulate/options.js';
import { describeSummary, summarize } from './simulate/summary.js';
import { writeTree } from './simulate/write-tree.js';

const standardUs = 60_000_000;

/** A machine with a known truth, at once or as files that move. */
export const command: Command = {
  name: 'simulate',
  summary: 'Simulate a machine whose energy is known, as a summary or as a moving sysfs and procfs',
  usage: `Usage: joulemetry simulate [OPTIONS]

Simulates a machine with energy meters, processes and faults, of which the truth is known. The same seed and options
give the same machine. Without --tree: prints what is true after a time, without waiting for it: a day takes about half
a minute of computing, with more processes and arrivals longer.

      --duration TIME      how long (default: 1m; with --tree: until SIGINT or SIGTERM)
      --json               the summary as JSON
      --tree DIR           write DIR/sys, DIR/proc and DIR/cgroup as Linux has them, for any tool that can be pointed
                           there, moving in real time, and DIR/truth.jsonl, a line for each step. DIR has to be new or
                           empty.
      --period TIME        time between two steps of the tree (default: 10ms)
      --pmu                add a "power" PMU to the tree, which perf can open; it counts 0.2328 W whatever happens

      --seed N             which machine (default: 1)
      --sockets N          (default: 2)
      --cpus N             logical CPUs of each socket (default: 8)
      --gpus N             (default: 1)
      --processes N        processes that are always there (default: 12)
      --arrivals N         processes born a second, that live 1 ms to 8 s (default: 4)
      --spread N           how much processes differ in joules per CPU second, 0 to 1 (default: 1)

      --refresh TIME       time between two refreshes of a sensor (default: 1ms)
      --jitter N           share of that time by which a refresh comes late (default: 0)
      --torn N, --failed N, --empty N
                           share of readings that give the first digits only, fail, or give nothing (default: 0)
      --fault KIND@AT[+FOR][:DOMAIN]
                           something that goes wrong, say reset@10s:package-0 or failed@5s+2s; repeat it for more.
                           Kinds: wrap, reset, torn, failed, empty, slow, dead, hotplug, suspend, offline (with a
                           CPU's number in place of the domain)
`,
  async run(args) {
    const options = parseSimulateOptions(args);
    const { tree, spec, durationUs = standardUs, isJson } = options;
    if (tree === undefined) {
      const summary = summarize(spec, durationUs);
      process.stdout.write(isJson ? formatJson(summary) : describeSummary(summary));
      return exitCodes.success;
    }
    const end = new AbortController();
    void waitForEnd().then(() => end.abort());
    const { steps, seconds, missed } = await writeTree(options, tree, end.signal);
    process.stderr.write(`Simulated ${seconds.toFixed(3)} s in ${steps} steps, ${missed} missed\n`);
    return exitCodes.success;
  },
};
