import type { Random } from '../../src/testing/random.fixture.js';
import { RigGpu } from './rig-gpu.fixture.js';
import type { Rig, RigProcess } from './rig.fixture.js';

/** A process of a random history that may use a GPU. */
interface GpuUser {
  readonly rig: RigProcess;
  gpuS: number;
}

interface RandomGpu {
  readonly rig: RigGpu;
  totalS: number;
  joules: number;
  /** Whether the time of its users is read. */
  isScanned: boolean;
  /** Number of scans for which it is still removed. */
  missing: number;
}

/** Two random GPUs, whose users are not known at times. */
export class RandomGpus {
  readonly #rig: Rig;
  readonly #random: Random;
  readonly #gpus: readonly RandomGpu[];

  /** @param random generator of the whole history, shared with the GPUs */
  constructor(rig: Rig, random: Random) {
    this.#rig = rig;
    this.#random = random;
    this.#gpus = ['GPU-1', 'GPU-2'].map((id) => {
      return { rig: new RigGpu(rig, id), totalS: 0, joules: 0, isScanned: true, missing: 0 };
    });
  }

  /** Random events between two scans. */
  happen(atS: number): void {
    const gpu = this.#random.pick(this.#gpus);
    if (gpu.missing > 0 || !this.#random.chance(0.08)) return;
    if (this.#random.chance(0.4)) return this.#remove(gpu, atS);
    if (gpu.isScanned) gpu.rig.endScans(atS);
    gpu.isScanned = !gpu.isScanned;
    gpu.totalS = 0;
  }

  /** A process has ended. */
  bury(atS: number, process: GpuUser): void {
    for (const { rig } of this.#gpus) this.#rig.end(atS, ...rig.seriesOf(process.rig));
  }

  /** Everything counts from 0 again. */
  restart(atS: number, processes: readonly GpuUser[]): void {
    for (const gpu of this.#gpus) {
      this.#rig.end(atS, ...gpu.rig.restart(atS));
      gpu.totalS = 0;
      gpu.joules = 0;
    }
    for (const process of processes) process.gpuS = 0;
  }

  /** Scans of most GPUs, shortly before an instant. */
  scan(nowS: number, processes: readonly GpuUser[]): void {
    for (const gpu of this.#gpus) {
      if (gpu.missing > 0) gpu.missing -= 1;
      else if (this.#random.chance(0.8)) this.#scan(gpu, nowS, processes);
    }
  }

  /** A GPU is removed, or its driver unloaded: all its series end. */
  #remove(gpu: RandomGpu, atS: number): void {
    this.#rig.end(atS, ...gpu.rig.restart(atS));
    gpu.totalS = 0;
    gpu.joules = 0;
    gpu.missing = 1 + this.#random.whole(5);
  }

  #scan(gpu: RandomGpu, nowS: number, processes: readonly GpuUser[]): void {
    const atS = nowS - 0.2 * this.#random.fraction();
    const clients = processes.filter(() => this.#random.chance(0.3));
    for (const process of clients) {
      const workS = 0.5 * this.#random.fraction();
      process.gpuS += workS;
      gpu.totalS += workS;
    }
    if (this.#random.chance(0.3)) gpu.totalS += 0.1;
    gpu.joules += 100 * this.#random.fraction();
    const joules = this.#random.chance(0.05) ? NaN : gpu.joules;
    if (gpu.isScanned) {
      const used = clients.map(({ rig, gpuS }) => [rig, gpuS] as const);
      gpu.rig.scan(atS, used, gpu.totalS, joules);
    } else this.#rig.energy(gpu.rig.energy, atS, joules);
  }
}
