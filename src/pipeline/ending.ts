import { setTimeout as sleep } from 'node:timers/promises';
import type { Component, ConsumingComponent } from '../component/component.js';
import { passHistograms, type Consumer } from '../component/consumer.js';
import type { Log } from '../component/log.js';
import { describeError } from '../errors.js';
import { countHistograms } from '../model/histogram-table.js';
import { countPoints } from '../model/table.js';

/** Knows when every expected receiver has finished. */
export class FinishLine {
  readonly #onFinish: () => void;
  readonly #finished = new Set<string>();
  #expected: readonly string[] | undefined;

  /** @param onFinish called when no other is expected */
  constructor(onFinish: () => void) {
    this.#onFinish = onFinish;
  }

  /** A receiver has finished, possibly before it is known who is expected. */
  cross(id: string): void {
    if (this.#finished.has(id)) return;
    this.#finished.add(id);
    this.#check();
  }

  /** A receiver has stopped, or starts again. */
  forget(id: string): void {
    this.#finished.delete(id);
    this.#expected = this.#expected?.filter((one) => one !== id);
  }

  /** Sets the receivers that have to finish. */
  expect(ids: readonly string[]): void {
    this.#expected = ids;
    this.#check();
  }

  #check(): void {
    if (this.#expected?.every((id) => this.#finished.has(id))) this.#onFinish();
  }
}

/**
 * The entry into the pipelines. While the gate is held, tables wait in front of it. Once it is closed, every
 * table is refused, so that none passes a stage that has ended.
 */
export class Gate {
  #isClosed = false;
  #refusedPoints = 0;
  /** Waiting calls, in order; undefined: the gate is open. */
  #held: (() => void)[] | undefined;
  /** Points that can still be held. */
  #room = 0;

  /** Points refused because the gate was closed or full. */
  get refusedPoints(): number {
    return this.#refusedPoints;
  }

  /** Puts the gate in front of a consumer. */
  before(next: Consumer): Consumer {
    return {
      consume: (table) => this.#pass(() => next.consume(table), countPoints(table)),
      consumeHistograms: (table) => this.#pass(() => passHistograms(next, table), countHistograms(table)),
    };
  }

  #pass(pass: () => boolean, points: number): boolean {
    if (this.#held && this.#room >= points) {
      this.#held.push(pass);
      this.#room -= points;
      return true;
    }
    if (this.#held) return false;
    if (!this.#isClosed) return pass();
    this.#refusedPoints += points;
    return false;
  }

  /**
   * Holds tables from now on.
   * @param maxPoints further points are refused
   */
  hold(maxPoints = Infinity): void {
    if (this.#held) return;
    this.#held = [];
    this.#room = maxPoints;
  }

  /** Lets held and further tables pass. May be called when nothing is held. */
  release(): void {
    const held = this.#held ?? [];
    this.#held = undefined;
    for (const pass of held) pass();
  }

  close(): void {
    this.#isClosed = true;
  }
}

/** Something to stop, with its name for messages. */
export interface Stoppable {
  readonly name: string;
  readonly component: Pick<Component, 'shutdown'>;
}

/**
 * Stops a component, or abandons it when its time limit is exceeded. Never rejects.
 * @param deadlineMs on the clock of `performance.now()`
 */
export async function stopWithin(
  { name, component }: Stoppable,
  deadlineMs: number,
  log: Log,
): Promise<void> {
  const leftMs = Math.max(0, deadlineMs - performance.now());
  const timer = new AbortController();
  try {
    await Promise.race([component.shutdown(leftMs), expire(leftMs, timer.signal)]);
  } catch (error) {
    log.error(`Cannot shut down ${name}: ${describeError(error)}`);
  } finally {
    timer.abort();
  }
}

function expire(afterMs: number, signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    const giveUp = () =>
      reject(
        new Error(
          `expected an end within ${Math.round(afterMs)} ms, found it running; not waiting any longer`,
        ),
      );
    const timer = setTimeout(giveUp, afterMs);
    signal.addEventListener('abort', () => clearTimeout(timer));
  });
}

type Exporter = Pick<ConsumingComponent, 'readBacklog'>;

const pollMs = 20;
/** Longer than the pauses between attempts at a backend that has recovered. */
const stalledAfterMs = 60_000;

/** Fill level of the fullest queue of some exporters, from 0 to 1. */
export function readFullest(exporters: readonly Exporter[]): number {
  let fullest = 0;
  for (const exporter of exporters) fullest = Math.max(fullest, exporter.readBacklog?.() ?? 0);
  return fullest;
}

/** Waits until the queues of some exporters are empty or shut down, or nothing has left them for a minute. */
export async function waitForDelivery(
  exporters: readonly Exporter[],
  stalledMs = stalledAfterMs,
): Promise<void> {
  let [least, sinceMs] = [Infinity, 0];
  for (let left = readSum(exporters); left > 0; left = readSum(exporters)) {
    const nowMs = performance.now();
    if (left < least) [least, sinceMs] = [left, nowMs];
    else if (nowMs - sinceMs >= stalledMs) return;
    await sleep(pollMs);
  }
}

function readSum(exporters: readonly Exporter[]): number {
  return exporters.reduce((sum, exporter) => sum + (exporter.readBacklog?.() ?? 0), 0);
}
