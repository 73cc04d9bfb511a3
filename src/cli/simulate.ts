import { formatJson } from '../component/output.js';
import { describeSummary, summarizeSimulation } from '../simulation/summary.js';
import { writeTree } from '../simulation/tree/write-tree.js';
import { exitCodes, type Command } from './command.js';
import { waitForEnd } from './signals.js';
import { parseSimulateOptions } from './simulate/options.js';

const standardUs = 60_000_000;

/** Simulates a machine whose energy use is known exactly, as a summary or as files that change. */
export const command: Command = {
  name: 'simulate',
  summary: 'Simulate a machine whose energy use is known exactly',
  usage: `Usage: joulemetry simulate [OPTIONS]

Simulates a machine with energy meters and processes, whose energy use is known
exactly. Faults can be added. The same options give the same machine.

Without --tree it prints how much energy each domain and each process used. It
does not wait for the simulated time to pass: a day takes about half a minute to
compute, and longer with more processes.

With --tree it writes the files of such a machine in real time, for any tool
that can read sysfs, procfs and cgroups from another folder.

Options:
      --duration TIME   simulated time (default: 1m; with --tree: until SIGINT
                        or SIGTERM)
      --json            print the result as JSON
      --tree DIR        write DIR/sys, DIR/proc and DIR/cgroup, and the true
                        values to DIR/truth.jsonl. DIR must be new or empty.
      --period TIME     time between two updates of the tree (default: 10ms)
      --pmu             add a PMU "power" to the tree, which perf can open. It
                        counts a constant 0.2328 W.

Machine:
      --seed N          seed of the random numbers (default: 1)
      --sockets N       CPU sockets (default: 2)
      --cpus N          logical CPUs per socket (default: 8)
      --gpus N          GPUs (default: 1)
      --processes N     processes that run all the time (default: 12)
      --arrivals N      additional processes started per second, which run for 1
                        ms to 8 s (default: 4)
      --spread N        how much processes differ in joules per CPU second, from
                        0 to 1 (default: 1)

Sensors and faults:
      --refresh TIME    time between two updates of an energy counter (default:
                        1ms)
      --jitter N        share of --refresh by which an update may be late
                        (default: 0)
      --torn N          share of reads that return only the first digits
                        (default: 0)
      --failed N        share of reads that fail (default: 0)
      --empty N         share of reads that return nothing (default: 0)
      --fault KIND@AT[+FOR][:DOMAIN]
                        a fault that starts AT and lasts FOR (default: 1s), for
                        example reset@10s:package-0 or failed@5s+2s. Repeat it
                        for more faults. Kinds: wrap, reset, torn, failed,
                        empty, slow, dead, hotplug, suspend, and offline, which
                        takes the number of a CPU in place of DOMAIN.
`,
  async run(args) {
    const options = parseSimulateOptions(args);
    const { tree, spec, durationUs = standardUs, isJson } = options;
    if (tree === undefined) {
      const summary = summarizeSimulation(spec, durationUs);
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
