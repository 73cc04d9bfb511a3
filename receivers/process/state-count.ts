import { ATTR_PROCESS_STATE } from '../../src/model/semantic-conventions.js';
import type { Resource, Series } from '../../src/model/series.js';
import { createRow, type Table } from '../../src/model/table.js';
import { processCount } from '../../src/model/usage-metrics.js';

/** The values of `process.state`. */
const states = ['running', 'sleeping', 'stopped', 'defunct'] as const;

type ProcessState = (typeof states)[number];

const stopped = new Set(['T', 't']);
const defunct = new Set(['Z', 'X', 'x']);

/** @param letter the state in proc_pid_stat(5) */
export function describeState(letter: string): ProcessState {
  if (letter === 'R') return 'running';
  if (stopped.has(letter)) return 'stopped';
  // S, and states for which the conventions have no name: waiting for a disk (D) and idle kernel threads (I).
  return defunct.has(letter) ? 'defunct' : 'sleeping';
}

/** The number of processes in each state. */
export class StateCount {
  readonly #resource: Resource;
  readonly #counts = new Map<string, number>();
  series: readonly Series[] = [];

  constructor(resource: Resource) {
    this.#resource = resource;
  }

  add(state: ProcessState, count = 1): void {
    this.#counts.set(state, (this.#counts.get(state) ?? 0) + count);
  }

  /** Returns a row of the processes added since the last call. */
  take(wallNs: bigint): Table {
    if (this.series.length === 0) this.series = this.#createSeries(wallNs);
    const row = Float64Array.from(states, (state) => this.#counts.get(state) ?? 0);
    this.#counts.clear();
    return createRow(this.series, wallNs, row);
  }

  /** @returns the series that end; the next row has new ones */
  restart(): readonly Series[] {
    const ended = this.series;
    this.series = [];
    return ended;
  }

  #createSeries(start: bigint): readonly Series[] {
    const resource = this.#resource;
    return states.map((state) => {
      return { metric: processCount, resource, attributes: { [ATTR_PROCESS_STATE]: state }, start };
    });
  }
}
