import type { ComponentStatus } from '../../src/component/agent-control.js';

interface Count {
  readonly points: number;
  readonly atMs: number;
}

/** Points per second of each component, over the last 5 to 10 seconds. */
export class PointRates {
  #previous = new Map<string, Count>();
  #latest = new Map<string, Count>();

  /** Records the points that have passed so far. Call it every 5 seconds. */
  note(components: readonly ComponentStatus[], atMs = performance.now()): void {
    this.#previous = this.#latest;
    this.#latest = new Map(
      components.map((one) => [keyOf(one), { points: one.acceptedPoints, atMs }] as const),
    );
  }

  /** @returns undefined before there are two notes */
  find(component: ComponentStatus, nowMs = performance.now()): number | undefined {
    const key = keyOf(component);
    const since = this.#previous.get(key) ?? this.#latest.get(key);
    const seconds = since === undefined ? 0 : (nowMs - since.atMs) / 1000;
    if (since === undefined || seconds < 1 || component.acceptedPoints < since.points) return undefined;
    return (component.acceptedPoints - since.points) / seconds;
  }
}

/** A processor has an instance in each pipeline. */
function keyOf({ kind, id, pipelines }: ComponentStatus): string {
  return [kind, id, ...pipelines].join(' ');
}
