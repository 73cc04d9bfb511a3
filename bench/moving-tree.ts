import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { writeFiles, writeLinks } from '../src/simulation/tree/tree-file.js';
import { compileFloor } from './floors.js';
import { listTree } from './process-tree.js';

/** Energy of a second of CPU time on the machine that `floors/moving-tree.c` simulates. */
export const joulesPerCpuSecond = 10;

/** Environment variable with the folder that is mounted over sysfs, for the process that runs inside. */
const variable = 'JOULEMETRY_BENCH_POWERCAP';
const zone = 'devices/virtual/powercap/intel-rapl/intel-rapl:0';

/** Sleeping processes, short-lived processes, a bystander, and an energy meter. */
export interface MovingTree {
  readonly bystanderPid: number;
  /** Pids of all long-lived processes. */
  readonly pids: readonly number[];
  /** Joules of the meter now; undefined: there is no meter, since nothing could be mounted. */
  readJoules(): number | undefined;
  end(): Promise<void>;
}

export interface MovingTreeOptions {
  readonly sleepers: number;
  readonly birthsPerSecond: number;
  /** CPU time of each short-lived process. */
  readonly cpuUs: number;
}

/** Starts one. @throws Error when it cannot be compiled */
export async function startMovingTree(options: MovingTreeOptions): Promise<MovingTree> {
  const program = compileFloor('moving-tree');
  const sys = process.env[variable];
  const energy = sys === undefined ? undefined : join(sys, zone, 'energy_uj');
  const args = [options.sleepers, options.birthsPerSecond, options.cpuUs].map(String);
  const child = spawn(program, energy === undefined ? args : [...args, energy], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  const bystanderPid = await readPid(child);
  return {
    bystanderPid,
    pids: listTree(child.pid ?? NaN).filter((pid) => pid !== child.pid),
    readJoules: () => (energy === undefined ? undefined : Number(readFileSync(energy, 'utf8')) / 1e6),
    async end() {
      child.stdin?.end();
      if (child.exitCode === null) await once(child, 'exit');
    },
  };
}

async function readPid({ stdout }: ChildProcess): Promise<number> {
  if (stdout === null) throw new Error('Cannot read the pid of the bystander: expected a pipe, found none');
  const [line] = (await once(stdout.setEncoding('utf8'), 'data')) as [string]; // a stream with an encoding
  return Number(line);
}

/** Mounts the overlay over the real sysfs for a command and its descendants only. */
const script = `for folder in class devices; do
  mount -t overlay overlay -o "lowerdir=$1/$folder:/sys/$folder" "/sys/$folder" || exit 1
done
shift
exec "$@"`;

/**
 * Runs this program again with an energy counter in sysfs, unless it already runs that way.
 * @returns the exit code; undefined: continue in this process, since nothing can be mounted
 */
export function rerunWithPowercap(): number | undefined {
  if (process.env[variable] !== undefined) return undefined;
  const sys = mkdtempSync(join(tmpdir(), 'joulemetry-bench-'));
  try {
    layPowercap(sys);
    const run = (command: readonly string[], stdio: 'inherit' | 'ignore') =>
      spawnSync('unshare', ['-m', '--propagation', 'private', 'sh', '-c', script, 'sh', sys, ...command], {
        stdio,
        env: { ...process.env, [variable]: sys },
      });
    if (run(['test', '-e', '/sys/class/powercap/intel-rapl:0/energy_uj'], 'ignore').status === 0) {
      return run([process.execPath, ...process.execArgv, ...process.argv.slice(1)], 'inherit').status ?? 1;
    }
    console.error('No energy is compared: a counter in sysfs needs root, unshare and overlayfs');
    return undefined;
  } finally {
    rmSync(sys, { recursive: true, force: true });
  }
}

function layPowercap(sys: string): void {
  writeFiles(join(sys, zone), {
    name: 'package-0\n',
    max_energy_range_uj: '262143328850\n',
    energy_uj: '000000000001000000\n',
    enabled: '1\n',
    uevent: '',
  });
  writeFiles(join(sys, zone, '..'), { enabled: '1\n', uevent: '' });
  writeLinks(join(sys, 'class/powercap'), {
    'intel-rapl': '../../devices/virtual/powercap/intel-rapl',
    'intel-rapl:0': `../../${zone}`,
  });
}
