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

  /** A receiver has finished, maybe before it is known who is expected. */
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

  /** Says who has to finish. */
  expect(ids: readonly string[]): void {
    this.#expected = ids;
    this.#check();
  }

  #check(): void {
    if (this.#expected?.every((id) => this.#finished.has(id))) this.#onFinish();
  }
}

/**
 * The way into the pipelines. While it is held, tables wait before it. Once it is closed, every table is refused, so that
 * none passes a stage that has ended.
 */
export class Gate {
  #isClosed = false;
  #refusedPoints = 0;
  /** What waits, in the order in which it came; undefined: the way is free. */
  #held: (() => void)[] | undefined;
  /** Points that can still wait. */
  #room = 0;

  /** Points that came too late. */
  get refusedPoints(): number {
    return this.#refusedPoints;
  }

  /** Puts the gate before a consumer. */
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
   * Lets tables wait from now on.
   * @param maxPoints further ones are refused
   */
  hold(maxPoints = Infinity): void {
    if (this.#held) return;
    this.#held = [];
    this.#room = maxPoints;
  }

  /** Lets the tables pass that wait, and all that follow. Safe to call where none is held. */
  release(): void {
    const held = this.#held ?? [];
    this.#held = undefined;
    for (const pass of held) pass();
  }

  close(): void {
    this.#isClosed = true;
  }
}

/** Something that is to stop, with the name that messages give it. */
export interface Stoppable {
  readonly name: string;
  readonly component: Pick<Component, 'shutdown'>;
}

/**
 * Stops a component, or leaves it behind when its time is over. Never rejects.
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
      reject(new Error(`expected an end within ${Math.round(afterMs)} ms, found it running; left behind`));
    const timer = setTimeout(giveUp, afterMs);
    signal.addEventListener('abort', () => clearTimeout(timer));
  });
}

type Exporter = Pick<ConsumingComponent, 'readBacklog'>;

const pollMs = 20;
/** Longer than the pauses between attempts at a backend that is back. */
const stalledAfterMs = 60_000;

/** How full the fullest queue of some exporters is, from 0 to 1. */
export function readFullest(exporters: readonly Exporter[]): number {
  let fullest = 0;
  for (const exporter of exporters) fullest = Math.max(fullest, exporter.readBacklog?.() ?? 0);
  return fullest;
}

/** Waits until the queues of some exporters are empty, as after their shutdown, or nothing has left them for a minute. */
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
