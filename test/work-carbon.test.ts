import assert from 'node:assert/strict';
import { test } from 'node:test';
import { factory as carbon } from '../processors/carbon/factory.js';
import { factory as work } from '../processors/work/factory.js';
import { createFakeContext, createTableCollector } from '../src/component/fakes.js';
import { parseSettings } from '../src/config/settings.js';
import type { Metric, Series } from '../src/model/series.js';
import { createRow } from '../src/model/table.js';

const epoch = 1_800_000_000_000_000_000n;
const service = { attributes: { 'service.name': 'shop' } };

function createCounter(name: string): Series {
  const metric: Metric = { name, unit: '1', description: '', kind: 'counter', valueType: 'double' };
  return { metric, resource: service, attributes: {}, start: epoch };
}

test('work after carbon gives the SCI of a request, and carbon after work the emissions of the work', () => {
  const out = createTableCollector();
  const context = createFakeContext({ host: { attributes: { 'host.name': 'node' } } });
  const behind = carbon.create(
    parseSettings(carbon.schema, { intensity: 360, metrics: ['work.energy'] }),
    context,
    out,
  );
  const workload = {
    units: [{ name: 'request', metric: 'requests' }],
    carbon: { embodied_share: 0.5 },
  };
  const divided = work.create(parseSettings(work.schema, { workloads: [workload] }), context, behind);
  // 10 years of 365.25 days, so that the embodied emissions are 0.01 g per second.
  const before = carbon.create(
    parseSettings(carbon.schema, { intensity: 360, embodied: { kilograms: 3155.76, years: 10 } }),
    context,
    divided,
  );
  const series = [createCounter('service.energy'), createCounter('requests')];
  for (let second = 0; second <= 20; second++) {
    before.consume(
      createRow(series, epoch + BigInt(second) * 1_000_000_000n, Float64Array.of(100 * second, 5 * second)),
    );
  }
  // 100 J at 0.1 g/kJ are 0.01 g; plus half of the embodied 0.01 g, for 5 requests.
  const [perRequest] = out.last('work.carbon.per_unit');
  assert.ok(Math.abs((perRequest?.value ?? NaN) - 0.003) < 1e-9, `${perRequest?.value} g`);
  const ofRequests = out
    .last('work.carbon')
    .find(({ series: { attributes } }) => attributes['work.unit'] === 'request');
  const joules = out
    .last('work.energy')
    .find(({ series: { attributes } }) => attributes['work.unit'] === 'request');
  assert.equal(joules?.value, 2000);
  assert.ok(Math.abs((ofRequests?.value ?? NaN) - 0.2) < 1e-9, `${ofRequests?.value} g`);
});
