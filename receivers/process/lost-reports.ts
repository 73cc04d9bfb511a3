import type { Counter } from '@opentelemetry/api';
import type { Context } from '../../src/component/component.js';
import { maxMovedThreads } from '../../src/linux/bpf/migrations.js';
import { maxDeaths } from '../../src/linux/bpf/task-deaths.js';
import type { CpuTimeSource } from './cpu-time-source.js';

type Source = Pick<CpuTimeSource, 'lost' | 'lostMoves'>;

/** Counts what the source of CPU times could not report, and logs warnings. */
export class LostReports {
  readonly #source: Source;
  readonly #context: Pick<Context, 'id' | 'log' | 'meter'>;
  readonly #ends: Counter;
  /** Undefined if moves are not recorded. */
  readonly #moves: Counter | undefined;
  #endsBefore = 0;
  #movesBefore = 0;
  #isLosing = false;

  constructor(source: Source, context: Pick<Context, 'id' | 'log' | 'meter'>) {
    this.#source = source;
    this.#context = context;
    this.#ends = this.#createCounter('joulemetry.process.lost_ends', {
      unit: '{thread}',
      description: 'Threads whose end was not reported, because too many ended between two scans',
    });
    if (source.lostMoves === undefined) return;
    this.#moves = this.#createCounter('joulemetry.process.lost_moves', {
      unit: '{move}',
      description:
        'Moves of threads to another CPU package that were missed, because too many threads had moved',
    });
  }

  /** Counts losses since the last call. */
  note(): void {
    this.#noteEnds();
    this.#noteMoves();
  }

  #createCounter(name: string, options: { readonly unit: string; readonly description: string }): Counter {
    const counter = this.#context.meter.createCounter(name, options);
    counter.add(0, { receiver: this.#context.id });
    return counter;
  }

  /** Logs one line when the first report is lost, and one with the number lost when all reports arrive again. */
  #noteEnds(): void {
    const { id: receiver, log } = this.#context;
    const { lost } = this.#source;
    const isLosing = lost > this.#endsBefore;
    if (isLosing) this.#ends.add(lost - this.#endsBefore, { receiver });
    if (isLosing && !this.#isLosing) {
      log.warn(
        `Cannot account for every process that ended: expected at most ${maxDeaths} ends of threads between two scans, found more; set a shorter collection_interval`,
      );
    }
    if (!isLosing && this.#isLosing) {
      log.info(
        `Recovered, accounting for every process that ends; ${lost} threads were missed since the start`,
      );
    }
    this.#isLosing = isLosing;
    this.#endsBefore = lost;
  }

  /**
   * Logs one line when the first move is lost: until that thread ends, its CPU time may be counted on the wrong
   * package.
   */
  #noteMoves(): void {
    const { id: receiver, log } = this.#context;
    const { lostMoves: lost = 0 } = this.#source;
    if (lost > 0 && this.#movesBefore === 0) {
      log.warn(
        `Cannot note on which CPU package every thread ran: expected at most ${maxMovedThreads} threads that have changed it, found more; the CPU time of the others counts for the package on which they are now`,
      );
    }
    this.#moves?.add(lost - this.#movesBefore, { receiver });
    this.#movesBefore = lost;
  }
}
