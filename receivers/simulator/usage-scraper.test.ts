import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createFakeContext } from '../../src/component/fakes.js';
import { parseSettings } from '../../src/config/settings.js';
import type { Series } from '../../src/model/series.js';
import type { Table } from '../../src/model/table.js';
import { createMachine } from '../../src/simulation/machine.js';
import { schema } from './config.js';
import { specOf } from './spec.js';
import { UsageScraper } from './usage-scraper.js';

const epoch = 1_700_000_000_000_000_000n;

/** Scans of a machine at instants of simulated time, in microseconds. */
function scan(settings: object, instants: readonly number[], eraAt = (_us: number) => 0): Table[][] {
  let now = 0;
  const clock = {
    wallNs: () => epoch + BigInt(now) * 1000n,
    monotonicNs: () => BigInt(now) * 1000n,
    countBreaks: () => 0,
  };
  const scraper = new UsageScraper(parseSettings(schema, settings), createFakeContext({ clock }), 0n);
  return instants.map((us) => {
    now = us;
    return [...scraper.scrape(eraAt(us))];
  });
}

/** The values of a metric in the tables of a scan. */
function valuesOf(tables: readonly Table[], name: string): { series: Series; value: number }[] {
  return tables.flatMap(({ series, values }) =>
    series.flatMap((one, i) => (one.metric.name === name ? [{ series: one, value: values[i] ?? NaN }] : [])),
  );
}

/** The processes that scans of a lively machine show. */
function pidsSeen(sees: string): ReadonlySet<unknown> {
  const tables = scan({ sees, arrivals: 30 }, [0, 2_000_000, 4_000_000]).flat();
  return new Set(
    valuesOf(tables, 'process.cpu.time').map(({ series }) => series.resource.attributes['process.pid']),
  );
}

const sum = (values: readonly { readonly value: number }[]) =>
  values.reduce((total, { value }) => total + value, 0);

test('UsageScraper closes a scan with busy time, which is the CPU time of all processes that ever were', () => {
  const totals = new Map<Series, number>();
  for (const tables of scan({ arrivals: 30 }, [500_000, 1_500_000, 4_000_000])) {
    for (const { series, value } of valuesOf(tables, 'process.cpu.time')) totals.set(series, value);
    const busy = tables.at(-1);
    assert.equal(busy?.series[0]?.metric.name, 'system.cpu.busy.time');
    const cpu = [...totals.values()].reduce((total, value) => total + value, 0);
    assert.ok(Math.abs(cpu - (busy?.values[0] ?? 0)) < 1e-9);
  }
});

test('UsageScraper misses what came and went between two scans, when it sees the living only', () => {
  const machine = createMachine(specOf(parseSettings(schema, { arrivals: 30 })));
  machine.advance(4_000_000);
  assert.equal(pidsSeen('all').size, machine.births);
  assert.ok(pidsSeen('living').size < machine.births);
});

test('UsageScraper ends the series of a process after its last row', () => {
  const [first = [], second = [], third = []] = scan({ arrivals: 30 }, [1_000_000, 2_000_000, 3_000_000]);
  assert.deepEqual(new Set([...first, ...second].map(({ epoch: at }) => at)).size, 2);
  const ended = second.flatMap((table) => table.ended ?? []);
  assert.ok(ended.length > 0);
  const rows = new Set(second.flatMap(({ series }) => series));
  assert.ok(ended.every((series) => rows.has(series)));
  const later = new Set(third.flatMap(({ series }) => series));
  assert.ok(!ended.some((series) => later.has(series)));
});

test('UsageScraper publishes the truth: idle and process energy are what the domains used', () => {
  const settings = { arrivals: 10 };
  const totals = new Map<Series, number>();
  for (const tables of scan(settings, [1_000_000, 2_000_000])) {
    for (const { series, value } of valuesOf(tables, 'simulator.energy')) totals.set(series, value);
  }
  const machine = createMachine(specOf(parseSettings(schema, settings)));
  machine.domains.forEach(({ kind, name }, i) => {
    const id = kind === 'package' ? `cpu-${name}` : name;
    const own = [...totals]
      .filter(([{ attributes }]) => attributes['hw.id'] === id)
      .map(([, value]) => ({ value }));
    if (own.length === 0) return;
    assert.ok(Math.abs(sum(own) - Number(machine.energyNj(i, 2_000_000)) / 1e9) < 1e-9, name);
  });
});

test('UsageScraper begins everything again after a break in time, at the instant of the scan', () => {
  const [first = [], second = []] = scan({ arrivals: 0 }, [1_000_000, 3_000_000], (us) => us);
  const before = new Set(first.flatMap(({ series }) => series));
  const ended = second.flatMap((table) => table.ended ?? []);
  assert.deepEqual(new Set(ended), before);
  const counters = second.flatMap(({ series, values }) =>
    series.flatMap((one, i) =>
      one.metric.kind === 'counter' ? [{ start: one.start, value: values[i] }] : [],
    ),
  );
  assert.ok(counters.length > 10);
  assert.ok(counters.every(({ start, value }) => start === epoch + 3_000_000_000n && value === 0));
});

test('UsageScraper publishes all that processes used that are started after a break in time', () => {
  const [, , third = []] = scan({ arrivals: 30 }, [1e6, 2e6, 3e6], (us) => Math.min(us, 2e6));
  const begun = valuesOf(third, 'process.cpu.time').filter(
    ({ series }) => series.start > epoch + 2_000_000_000n,
  );
  assert.ok(begun.length > 10);
  assert.ok(
    begun.every(({ series: { start, resource } }) => {
      const born = Date.parse(String(resource.attributes['process.creation.time']));
      return born === Number(start / 1_000_000n);
    }),
  );
  assert.ok(sum(begun) > 0);
});

test('UsageScraper has the same array of series, while the processes are the same', () => {
  const [first = [], second = []] = scan({ arrivals: 0 }, [1_000_000, 2_000_000]);
  first.forEach(({ series }, i) => assert.equal(series, second[i]?.series));
});
