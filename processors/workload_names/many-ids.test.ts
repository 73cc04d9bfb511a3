import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import { createLogCollector, createTableCollector } from '../../src/component/fakes.js';
import type { Attributes } from '../../src/model/series.js';
import { until } from '../../src/testing/until.js';
import type { Lookup, Names } from './lookup.js';
import { rowOf, seriesOf } from './names.fixture.js';
import { Source, type Backend } from './source.js';
import { SourceList } from './source-list.js';
import { WorkloadNames } from './workload-names.js';

const count = 1000;
/** Yields are expected after this many ids. */
const idsPerStep = 64;
const minTurns = Math.floor(count / idsPerStep) - 1;

/** Longer than any test runs. */
const neverMs = 600_000;

/** Holds the thread for so long that the next yield lets others run. */
function work(): void {
  const endMs = performance.now() + 2.5 / idsPerStep;
  while (performance.now() < endMs);
}

/** Counts the turns of the event loop in which something was noted. */
class Turns {
  readonly #noted = new Set<number>();
  #now = 0;
  #immediate: NodeJS.Immediate | undefined;

  constructor(t: TestContext) {
    const turn = () => {
      this.#now += 1;
      this.#immediate = setImmediate(turn);
    };
    turn();
    t.after(() => clearImmediate(this.#immediate));
  }

  note(): void {
    this.#noted.add(this.#now);
  }

  get count(): number {
    return this.#noted.size;
  }
}

const row = () => rowOf(...Array.from({ length: count }, (_, i) => seriesOf({ 'container.id': `id-${i}` })));

function createProcessor(t: TestContext, names: Names, onDecision: () => void, maxWaitMs = neverMs) {
  const next = createTableCollector();
  const processor = new WorkloadNames(names, { maxWaitMs, maxHeldPoints: 1_000_000, onDecision }, next);
  t.after(() => processor.shutdown());
  return { next, processor };
}

class FakeBackend implements Backend {
  readonly title = 'fake';
  readonly maxBatch = Infinity;
  readonly asked: number[] = [];
  readonly #turns: Turns;

  constructor(turns: Turns) {
    this.#turns = turns;
  }

  covers(): boolean {
    this.#turns.note();
    work();
    return true;
  }

  mayAppear(): boolean {
    return false;
  }

  ask(lookups: readonly Lookup[]): Promise<ReadonlyMap<string, Attributes>> {
    this.asked.push(lookups.length);
    return Promise.resolve(new Map(lookups.map(({ key, id }) => [key, { 'container.name': id }])));
  }

  close(): void {}
}

test('workload_names yields while it looks up many ids and names their resources, with one request', async (t) => {
  const [lookedUp, decided] = [new Turns(t), new Turns(t)];
  const backend = new FakeBackend(lookedUp);
  const log = createLogCollector();
  const source = new Source(backend, log);
  let isFound = false;
  const discover = () => {
    if (isFound) return [];
    isFound = true;
    return [{ rank: 0, source }];
  };
  const { next, processor } = createProcessor(t, new SourceList(discover, log, 0), () => {
    decided.note();
    work();
  });
  const table = row();
  processor.consume(table);
  await until(() => next.tables.length === 1);
  assert.deepEqual(
    next.tables[0]?.series.map(({ resource }) => resource.attributes['container.name']),
    table.series.map(({ resource }) => resource.attributes['container.id']),
  );
  assert.deepEqual(backend.asked, [count]);
  assert.ok(lookedUp.count >= minTurns, `looked up in ${lookedUp.count} turns`);
  assert.ok(decided.count >= minTurns, `decided in ${decided.count} turns`);
});

test('workload_names yields when the time limit for many ids is exceeded', async (t) => {
  const decided = new Turns(t);
  const silent: Names = {
    start: () => undefined,
    hold: () => () => undefined,
    find: () => new Promise(() => undefined),
    close: () => undefined,
  };
  const note = () => {
    decided.note();
    work();
  };
  const { next, processor } = createProcessor(t, silent, note, 1);
  const table = row();
  processor.consume(table);
  await until(() => next.tables.length === 1);
  assert.deepEqual(next.tables[0]?.series, table.series);
  assert.ok(decided.count >= minTurns, `decided in ${decided.count} turns`);
});
