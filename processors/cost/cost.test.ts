import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { createFakeContext, createTableCollector } from '../../src/component/fakes.js';
import { parseSettings } from '../../src/config/settings.js';
import { processEnergy } from '../../src/model/ledger-metrics.js';
import { createRow } from '../../src/model/table.js';
import { createFolder } from '../../src/testing/temporary-folder.fixture.js';
import { schema } from './config.js';
import { factory } from './factory.js';
import { Tariff } from './tariff.js';

/** Local time: a Friday. */
const friday = (hours: number, minutes = 0) => new Date(2026, 0, 2, hours, minutes).getTime() * 1e6;
const hourNs = 3600e9;

function create(settings: object) {
  const out = createTableCollector();
  const processor = factory.create(parseSettings(schema, settings), createFakeContext(), out);
  const start = BigInt(friday(12));
  const series = [{ metric: processEnergy, resource: { attributes: {} }, attributes: {}, start }];
  return {
    processor,
    out,
    feed: (at: number, kwh: number) =>
      processor.consume(createRow(series, BigInt(at), Float64Array.of(3.6e6 * kwh))),
    last: (metric: string) =>
      out.tables
        .flatMap(({ series: [one], values }) => (one?.metric.name === metric ? [values.at(-1)] : []))
        .at(-1),
  };
}

function assertNear(value: number | undefined, expected: number): void {
  assert.ok(Math.abs((value ?? NaN) - expected) < 1e-9, `${value}, expected ${expected}`);
}

test('cost gives a kilowatt-hour its price in the currency that is set', () => {
  const { feed, last, out } = create({ price: 0.4, currency: 'CHF', pue: 1.5 });
  feed(friday(13), 2);
  assertNear(last('process.cost'), 1.2);
  assertNear(last('energy.price'), 0.4);
  assert.equal(out.tables[1]?.series[0]?.metric.unit, '{CHF}');
});

test('cost follows a tariff through the day', () => {
  const { feed, last } = create({ price: 1, periods: [{ from: '13:00', to: '15:00', price: 3 }] });
  feed(friday(12, 30), 1);
  assertNear(last('process.cost'), 1);
  // Half of it at each price.
  feed(friday(13, 30), 2);
  assertNear(last('process.cost'), 3);
  feed(friday(14), 3);
  assertNear(last('process.cost'), 6);
  // A quarter at 3.
  feed(friday(18), 4);
  assertNear(last('process.cost'), 7.5);
});

test('cost falls while prices are negative, and reads prices of a megawatt-hour from a file', async (t) => {
  const file = join(createFolder(), 'prices.csv');
  writeFileSync(file, lineAt(friday(12), 100) + lineAt(friday(13), -50));
  const { processor, feed, last } = create({ file, unit: 'MWh' });
  t.after(() => processor.shutdown());
  await processor.start();
  feed(friday(13), 10);
  assertNear(last('process.cost'), 1);
  feed(friday(14), 20);
  assertNear(last('process.cost'), 0.5);
});

test('Tariff takes the first period that fits, over midnight and by the day on which it began', () => {
  const night = { from: '22:00', to: '06:00', days: ['fri'], price: 2 };
  const weekend = { from: '00:00', to: '24:00', days: ['sat', 'sun'], price: 3 };
  const tariff = new Tariff([night, weekend], 1, 1);
  const prices = [5, 21, 22, 24 + 5, 24 + 6, 72].map((hour) => tariff.at(friday(0) + hour * hourNs));
  assert.deepEqual(prices, [1, 1, 2, 2, 3, 1]);
  tariff.at(friday(21));
  assert.equal(tariff.until, friday(22));
  tariff.at(friday(23, 59));
  assert.equal(tariff.until, friday(24));
});

test('cost refuses periods, currencies and contradictions that it cannot use', () => {
  assert.equal(check({}), '');
  assert.match(
    check({ periods: [{ from: '25:00' }] }),
    /periods\[0\]\.from: expected a time of day such as 22:00, found "25:00"/u,
  );
  assert.match(
    check({ periods: [{ days: ['Monday'] }] }),
    /periods\[0\]\.days: expected mon, .*, found "Monday"/u,
  );
  assert.match(check({ currency: 'euro' }), /currency: expected three capital letters/u);
  assert.match(check({ file: '/x', periods: [{}] }), /expected one of them, found several/u);
});

/** A line of a file of prices. */
function lineAt(ns: number, price: number): string {
  return `${new Date(ns / 1e6).toISOString()},${price}\n`;
}

function check(settings: object): string {
  return (factory.check?.(parseSettings(schema, settings)) ?? []).join('\n');
}
