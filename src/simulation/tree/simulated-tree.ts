import { closeSync, mkdirSync, openSync, writeSync } from 'node:fs';
import { createSensors, type EnergySensor } from '../energy-sensor.js';
import { createMachine, type Machine } from '../machine.js';
import type { MachineSpec } from '../machine-spec.js';
import { CgroupTree } from './cgroup-tree.js';
import { CpuTree } from './cpu-tree.js';
import { DeviceTree } from './device-tree.js';
import { PowercapTree, writePmu } from './powercap-tree.js';
import { ProcTree, type Boot } from './proc-tree.js';
import { ProcessTree } from './process-tree.js';
import { describeTruth } from './truth-line.js';

/** How a tree is made. */
export interface TreeOptions {
  readonly spec: MachineSpec;
  /** A folder that is there and empty. */
  readonly root: string;
  readonly boot: Boot;
  /** Adds a `power` PMU, which counts something else. */
  readonly hasPmu?: boolean;
}

/**
 * A machine as files that move: `sys`, `proc` and `cgroup` as Linux has them, for whatever reads these, and
 * `truth.jsonl` beside them. Must be closed.
 */
export class SimulatedTree {
  readonly machine: Machine;
  readonly #sensors: readonly EnergySensor[];
  readonly #boot: Boot;
  readonly #powercap: PowercapTree;
  readonly #cpus: CpuTree;
  readonly #devices: DeviceTree;
  readonly #proc: ProcTree;
  readonly #processes: ProcessTree;
  readonly #cgroups: CgroupTree;
  readonly #truthFd: number;
  #beforeUs = -1;

  constructor({ spec, root, boot, hasPmu = false }: TreeOptions) {
    this.machine = createMachine(spec);
    this.#sensors = createSensors(this.machine);
    this.#boot = boot;
    for (const name of ['sys', 'proc', 'cgroup']) mkdirSync(`${root}/${name}`);
    this.#powercap = new PowercapTree(`${root}/sys`, this.#sensors);
    this.#cpus = new CpuTree(`${root}/sys`, spec);
    this.#devices = new DeviceTree(`${root}/sys`, spec);
    if (hasPmu) writePmu(`${root}/sys`, spec);
    this.#proc = new ProcTree(`${root}/proc`, this.machine, boot);
    this.#processes = new ProcessTree(root, this.machine, boot.sinceBootNs);
    this.#cgroups = new CgroupTree(`${root}/cgroup`, this.machine);
    this.#truthFd = openSync(`${root}/truth.jsonl`, 'wx');
  }

  /**
   * Writes an instant of simulated time, in whole microseconds, later than the previous one.
   * @param wallNs returns the Unix time in nanoseconds when everything is written
   */
  write(us: number, wallNs: () => bigint): void {
    this.machine.advance(us);
    const cpus = this.machine.cpus();
    // Energy first, since its readers are the most exact.
    this.#powercap.write(us);
    const counts = this.#proc.write(us, cpus);
    this.#processes.write();
    this.#cgroups.write();
    this.#cpus.write(cpus);
    this.#devices.write(counts);
    const step = {
      us,
      beforeUs: this.#beforeUs,
      wallNs: this.#boot.wallNs + BigInt(us) * 1000n,
      writtenNs: wallNs(),
    };
    writeSync(this.#truthFd, describeTruth(this.machine, this.#sensors, step));
    this.#beforeUs = us;
  }

  /** Stops; the files stay as they are. */
  close(): void {
    const { processes, cgroups } = { processes: this.#processes, cgroups: this.#cgroups };
    for (const part of [this.#powercap, this.#cpus, this.#devices, this.#proc, processes, cgroups])
      part.close();
    closeSync(this.#truthFd);
  }
}
