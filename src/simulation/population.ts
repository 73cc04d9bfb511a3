import { elementAt } from '../element.js';
import type { MachineSpec } from './machine-spec.js';
import { hash, Random } from './random.js';
import { SimulatedProcess, type Program, type Rates } from './simulated-process.js';

const pod = '/kubepods.slice/kubepods-burstable.slice';
const podOf = (id: string) => `${pod}/kubepods-burstable-pod${id.repeat(8)}.slice`;
const containerOf = (id: string, digit: string) => `${podOf(id)}/cri-containerd-${digit.repeat(64)}.scope`;

/** Permanent programs, in order. */
const services: readonly Program[] = [
  service('postgres', '/system.slice/postgresql.service', [150, 15, 900]),
  service('nginx', '/system.slice/nginx.service', [60, 45, 40]),
  { ...service('python3', '/system.slice/slurmstepd.scope/job_42/step_0', [220, 5, 4000]), usesGpu: true },
  service('node', containerOf('a', '1'), [120, 12, 300]),
  service('java', containerOf('b', '2'), [260, 8, 2000]),
  service('redis-server', containerOf('b', '3'), [80, 35, 200]),
  { ...service('kworker/0:1', '/', [15, 100, 0]), path: '', isKernelThread: true },
  service('systemd', '/init.scope', [5, 50, 12]),
  service('ffmpeg', '/user.slice/user-1000.slice/session-1.scope', [380, 3, 350]),
  service('firefox', '/user.slice/user-1000.slice/session-1.scope', [140, 10, 1200]),
  service('prometheus', '/system.slice/prometheus.service', [70, 10, 500]),
  service('sshd', '/system.slice/ssh.service', [5, 40, 8]),
];

/** Short-lived programs. */
export const jobs: readonly Program[] = [
  service('cc1plus', '/user.slice/user-1000.slice/session-1.scope', [100, 6, 180]),
  service('sh', '/user.slice/user-1000.slice/session-1.scope', [100, 60, 2]),
  service('git', '/user.slice/user-1000.slice/session-1.scope', [100, 30, 25]),
  service('curl', '/system.slice/cron.service', [60, 50, 10]),
  service('gzip', '/system.slice/cron.service', [100, 8, 4]),
];

function service(
  name: string,
  cgroup: string,
  [maxPercent, systemPercent, residentMib]: readonly [number, number, number],
): Program {
  const threads = Math.max(1, Math.ceil(maxPercent / 100));
  return { name, cgroup, path: `/usr/bin/${name}`, maxPercent, threads, systemPercent, residentMib };
}

/** The power rates of a process on its socket: core and uncore are parts of a package. */
function drawRates(spec: MachineSpec, socket: number, random: Random): Rates {
  const { spread, sockets, socketSpread, memorySpread, frequencySpread } = spec;
  const dearer = 1 + (socketSpread * socket) / Math.max(1, sockets - 1);
  const draw = (middle: number) => {
    const most = Math.round(middle * 0.8 * spread);
    return Math.round((middle + random.integer(0, 2 * most) - most) * dearer);
  };
  const core = draw(50);
  const uncore = draw(6);
  const [rest, dram, gpu] = [draw(15), draw(9), draw(1_600)];
  // Drawn last, so that the earlier draws do not change.
  const frequency = 1 - (0.75 * frequencySpread * random.integer(0, 100)) / 100;
  const traffic = 16 ** (memorySpread * (random.integer(0, 100) / 100 - 0.5));
  const slow = [core, uncore, rest].map((rate) => Math.max(1, Math.round(rate * frequency)));
  const [slowCore = 0, slowUncore = 0, slowRest = 0] = slow;
  const own = slowCore + slowUncore + slowRest;
  const moved = Math.max(1, Math.round(dram * traffic));
  return {
    core: slowCore,
    uncore: slowUncore,
    package: own,
    dram: moved,
    gpu,
    // As exact as whole-number rates allow.
    cycles: (cyclesPerUnit * own) / (core + uncore + rest),
    bytes: (bytesPerUnit * moved) / dram,
  };
}

/** 3.6 GHz, and 9 GB per CPU second, per 10 ns of CPU time. */
const cyclesPerUnit = 36;
const bytesPerUnit = 90;

const firstPid = 1000;
// The kernel's maximum, minus some that are kept free.
const pids = 4_000_000;
const blockUs = 10_000_000;
const minLifeUs = 1_000;

/** Starts, lifetimes and demands of processes, all determined by the seed. */
export class Population {
  readonly #spec: MachineSpec;
  readonly #arrivals: Random;
  #births = 0;
  #nextUs: number;

  constructor(spec: MachineSpec) {
    this.#spec = spec;
    this.#arrivals = new Random(spec.seed, 2);
    this.#nextUs = 0;
    this.#waitForNext();
  }

  /** How many were started. */
  get births(): number {
    return this.#births;
  }

  /** When the next one is started, time awake in microseconds. */
  get nextUs(): number {
    return this.#nextUs;
  }

  /** The permanent processes. */
  createServices(): SimulatedProcess[] {
    return Array.from({ length: this.#spec.processes }, (_, i) =>
      this.#create(elementAt(services, i % services.length), 0, Infinity),
    );
  }

  /** The process that is started next. */
  createNext(): SimulatedProcess {
    const bornUs = this.#nextUs;
    const random = this.#arrivals;
    const program = random.choose(jobs);
    // Lifetimes are uniform in the logarithm: as many of 1 to 2 ms as of 2 to 4 ms, up to 4 to 8 s.
    const least = minLifeUs * 2 ** random.integer(0, 12);
    const diesUs = bornUs + random.integer(least, 2 * least);
    this.#waitForNext();
    return this.#create(program, bornUs, diesUs);
  }

  /**
   * The demand of a process from an instant on, in percent of a CPU. The machine as a whole is busy, less busy
   * and idle for ten seconds each.
   */
  wantedPercent({ identity }: SimulatedProcess, atUs: number): number {
    const { program, pid, diesUs } = identity;
    if (diesUs < Infinity) return program.maxPercent;
    const { seed } = this.#spec;
    const level = hash(seed, 3, Math.floor(atUs / blockUs)) % 4;
    const own = hash(seed, 4, pid, atUs) % 101;
    return Math.floor((program.maxPercent * level * own) / 300);
  }

  #create(program: Program, bornUs: number, diesUs: number): SimulatedProcess {
    const { seed, sockets, gpus } = this.#spec;
    const index = this.#births++;
    const random = new Random(hash(seed, 5), index);
    const socket = random.integer(0, sockets - 1);
    const gpu = program.usesGpu === true && gpus > 0 ? random.integer(0, gpus - 1) : undefined;
    const rates = drawRates(this.#spec, socket, random);
    return new SimulatedProcess({
      pid: firstPid + (index % pids),
      program,
      rates,
      socket,
      gpu,
      bornUs,
      diesUs,
    });
  }

  #waitForNext(): void {
    const { arrivalsPerSecond } = this.#spec;
    const meanUs = Math.max(1, Math.round(1e6 / arrivalsPerSecond));
    this.#nextUs = arrivalsPerSecond > 0 ? this.#nextUs + this.#arrivals.integer(1, 2 * meanUs) : Infinity;
  }
}
