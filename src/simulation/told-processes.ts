import type { Machine } from './machine.js';
import type { SimulatedProcess } from './simulated-process.js';

/** What a receiver keeps of each simulated process until it has told of it a last time. */
export class ToldProcesses<Told> {
  readonly #told = new Map<SimulatedProcess, Told>();
  readonly #finished = new WeakSet<SimulatedProcess>();

  find(process: SimulatedProcess): Told | undefined {
    return this.#told.get(process);
  }

  add(process: SimulatedProcess, told: Told): void {
    this.#told.set(process, told);
  }

  /** Whether the process was published for the last time. */
  isFinished(process: SimulatedProcess): boolean {
    return this.#finished.has(process);
  }

  /** What was kept of processes that live no more: they are finished now. */
  takeGone({ liveProcesses }: Machine): Told[] {
    const live = new Set(liveProcesses);
    const gone = [...this.#told].filter(([process]) => !live.has(process));
    for (const [process] of gone) {
      this.#told.delete(process);
      this.#finished.add(process);
    }
    return gone.map(([, told]) => told);
  }

  /** All that is kept; nothing is kept then. */
  takeAll(): Told[] {
    const all = [...this.#told.values()];
    this.#told.clear();
    return all;
  }
}
