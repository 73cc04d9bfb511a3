import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createFakeContext, createTableCollector } from '../../src/component/fakes.js';
import { parseSettings } from '../../src/config/settings.js';
import { checkTables, sumLastValues } from '../../src/model/check-tables.js';
import type { Series } from '../../src/model/series.js';
import { createEnding, createRow, type Table } from '../../src/model/table.js';
import { fc } from '../../src/testing/fixed-seed.fixture.js';
import { holdsFor } from '../../src/testing/property.fixture.js';
import { unixNs } from '../../src/windows/windows.fixture.js';
import { factory } from './factory.js';

const metric = { name: 'work', unit: '1', description: '', kind: 'counter', valueType: 'int' } as const;
const windowS = 8;

function createCounter(team: number, atS: number): Series {
  return { metric, resource: { attributes: { team, 'host.name': 'a' } }, attributes: {}, start: unixNs(atS) };
}

function play(limit: number) {
  const next = createTableCollector();
  const settings = { limit, metric: 'work', group_by: ['team'], window: `${windowS}s` };
  const processor = factory.create(parseSettings(factory.schema, settings), createFakeContext(), next);
  return { processor, next };
}

/** The events of a team in a second: -2: it ends, -1: it has no reading, otherwise the work it does. */
const second = fc.array(fc.integer({ min: -2, max: 12 }), { minLength: 5, maxLength: 5 });

/** Teams that start, work, pause and end. */
class Teams {
  readonly #live = new Map<number, { readonly series: Series; done: number }>();
  readonly fed: Table[] = [];

  play(atS: number, happened: readonly number[]): readonly Table[] {
    const ended = happened.flatMap((what, team) => (what === -2 ? this.#end(team) : []));
    for (const [team, what] of happened.entries()) if (what > 0) this.#work(team, atS, what);
    const rows = [...this.#live.entries()];
    const row = createRow(
      rows.map(([, { series }]) => series),
      unixNs(atS),
      Float64Array.from(rows, ([team, { done }]) => (happened[team] === -1 ? NaN : done)),
    );
    const tables = [...(ended.length > 0 ? [createEnding(ended, unixNs(atS))] : []), row];
    this.fed.push(...tables);
    return tables;
  }

  #end(team: number): readonly Series[] {
    const known = this.#live.get(team);
    this.#live.delete(team);
    return known ? [known.series] : [];
  }

  #work(team: number, atS: number, amount: number): void {
    const known = this.#live.get(team) ?? { series: createCounter(team, atS - 1), done: 0 };
    known.done += amount;
    this.#live.set(team, known);
  }
}

const isOther = ({ resource }: Series) => resource.attributes['team'] === 'other';

test('topk keeps the sum over groups and other equal to the input, after each table, for any history', () => {
  holdsFor(
    fc.record({ limit: fc.integer({ min: 1, max: 4 }), seconds: fc.array(second, { maxLength: 60 }) }),
    ({ limit, seconds }) => {
      const { processor, next } = play(limit);
      const teams = new Teams();
      for (const [atS, happened] of seconds.entries()) {
        for (const table of teams.play(atS + 1, happened)) processor.consume(table);
        assert.equal(sumLastValues(next.tables, 'work'), sumLastValues(teams.fed, 'work'));
        const own = next.tables.at(-1)?.series.filter((series) => !isOther(series)) ?? [];
        assert.ok(own.length <= limit, `${own.length} groups`);
      }
      checkTables(next.tables);
      assert.ok(new Set(next.tables.flatMap(({ series }) => series.filter(isOther))).size <= 1, 'one other');
    },
  );
});

/**
 * The weighted work of each team, in which work one half-life ago counts half: computed directly from the
 * definition.
 */
function weighAll(seconds: readonly (readonly number[])[]): readonly number[] {
  return [0, 1, 2, 3, 4].map((team) =>
    seconds.reduce(
      (sum, happened, i) => sum + (happened[team] ?? 0) * 2 ** ((i + 1 - seconds.length) / windowS),
      0,
    ),
  );
}

test('topk shows groups such that at each instant no other used 1.5 times as much', () => {
  const steady = fc.array(fc.integer({ min: 1, max: 12 }), { minLength: 5, maxLength: 5 });
  holdsFor(fc.array(steady, { minLength: 1, maxLength: 40 }), (seconds) => {
    const { processor, next } = play(2);
    const teams = new Teams();
    const shown = new Set<unknown>();
    for (const [atS, happened] of seconds.entries()) {
      for (const table of teams.play(atS + 1, happened)) processor.consume(table);
      const own = next.tables.at(-1)?.series.flatMap(({ resource }) => resource.attributes['team']) ?? [];
      for (const series of next.tables.at(-1)?.series ?? []) shown.add(series);
      // As many groups get a place as the first minute allows: then others wait.
      if (shown.size - 1 >= 4) return;
      const weights = weighAll(seconds.slice(0, atS + 1));
      const [held, waiting] = [true, false].map((wanted) =>
        weights.filter((_, team) => own.includes(team) === wanted),
      );
      assert.equal(held.length, 2);
      const [least, most] = [Math.min(...held), Math.max(...waiting)];
      assert.ok(most <= 1.5 * least + 1e-9, `${most} waits for the place of ${least}`);
    }
  });
});
