import assert from 'node:assert/strict';
import { test } from 'node:test';
import { playRandomMachine } from '../processors/attribution/random-machine.fixture.js';
import { Rig } from '../processors/attribution/rig.fixture.js';
import { factory as power } from '../processors/power/factory.js';
import { createFakeContext, createTableCollector } from '../src/component/fakes.js';
import { parseSettings } from '../src/config/settings.js';
import type { Series } from '../src/model/series.js';
import type { Table } from '../src/model/table.js';

const views = ['process.power', 'program.power', 'systemd.unit.power'];

/** Output of `power` for the output of `attribution` on a random machine. */
function derivePower(seed: number, limit: number, window: string): readonly Table[] {
  const rig = new Rig({
    views: ['process', 'program', 'unit'],
    process_limit: limit,
    group_limit: limit,
    floor: [{ hw_type: 'cpu', power: 5 }],
  });
  playRandomMachine(rig, { seed, scans: 150, scanS: 1, hasFaults: seed % 2 === 0 });
  const out = createTableCollector();
  const processor = power.create(parseSettings(power.schema, { window }), createFakeContext(), out);
  for (const table of rig.out.tables) processor.consume(table);
  return out.tables;
}

/** Watts of each view, by instant and kind of hardware. */
function sumByInstant(tables: readonly Table[]): Map<string, number[]> {
  const sums = new Map<string, number[]>();
  for (const { series, epoch, offsets, values } of tables) {
    for (const [cell, watts] of values.entries()) {
      const { metric, attributes } = series[cell % series.length];
      const view = views.indexOf(metric.name);
      if (view < 0) continue;
      const at = epoch + BigInt(offsets[Math.floor(cell / series.length)]);
      const key = `${at} ${String(attributes['hw.type'])}`;
      const own = sums.get(key) ?? views.map(() => 0);
      own[view] += watts;
      sums.set(key, own);
    }
  }
  return sums;
}

function countAfterEnd(tables: readonly Table[]): number {
  const ended = new Set<Series>();
  let count = 0;
  for (const table of tables) {
    count += table.series.filter((series) => ended.has(series)).length;
    for (const series of table.ended ?? []) ended.add(series);
  }
  return count;
}

for (const limit of [0, 2, 50]) {
  for (const window of ['1s', '5s']) {
    test(`powers of processes, programs and units have the same sum in every window: limit ${limit}, ${window}`, () => {
      for (const seed of [1, 2, 5, 6]) {
        const tables = derivePower(seed, limit, window);
        const sums = sumByInstant(tables);
        assert.ok(sums.size > 40, `${sums.size} windows`);
        for (const [instant, watts] of sums) {
          const isEqual = Math.max(...watts) - Math.min(...watts) < 1e-9 * Math.max(1, ...watts);
          assert.ok(isEqual, `seed ${seed} at ${instant}: ${watts.join(', ')} W`);
        }
        assert.equal(countAfterEnd(tables), 0);
      }
    });
  }
}
