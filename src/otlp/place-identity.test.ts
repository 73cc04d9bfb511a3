import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Metric, Series } from '../model/series.js';
import { createEnding, createRow } from '../model/table.js';
import { Batcher } from './batcher.js';
import { decodePoints } from './decode-request.fixture.js';
import { createPlacement, type IdentityPlace } from './place-identity.js';

const metric: Metric = {
  name: 'process.energy',
  unit: 'J',
  description: 'Energy',
  kind: 'counter',
  valueType: 'double',
};
const machine = { 'host.name': 'n1', 'os.type': 'linux', 'service.name': 'joulemetry' };
const resource = {
  attributes: { ...machine, 'process.pid': 7, 'systemd.unit': 'a.service', 'hw.type': 'x' },
};
const series: Series = { metric, resource, attributes: { 'hw.type': 'cpu' }, start: 1n };
const own = { 'process.pid': 7, 'systemd.unit': 'a.service', 'hw.type': 'cpu' };

/** The attributes of a reading and of the end of its series, as they are sent. */
function send(identity?: IdentityPlace) {
  const points: ReturnType<typeof decodePoints>[number][] = [];
  const batcher = new Batcher(
    { maxPoints: 100, maxBytes: 1e6 },
    ({ bytes }) => points.push(...decodePoints(bytes)),
    identity,
  );
  batcher.add(createRow([series], 10n, Float64Array.of(3)));
  batcher.add(createEnding([series], 20n));
  batcher.flush();
  assert.deepEqual(
    points.map(({ flags }) => flags),
    [0, 1],
  );
  return points.map(({ resource: sent, attributes }) => ({ sent, attributes }));
}

test('Batcher sends the attributes of workloads in their resource by default', () => {
  const point = {
    sent: { ...machine, 'process.pid': 'int 7', 'systemd.unit': 'a.service', 'hw.type': 'x' },
    attributes: { 'hw.type': 'cpu' },
  };
  assert.deepEqual(send(), [point, point]);
});

test('Batcher moves the attributes of workloads to points, but not those of the machine', () => {
  const attributes = { 'process.pid': 'int 7', 'systemd.unit': 'a.service', 'hw.type': 'cpu' };
  const point = { sent: machine, attributes };
  assert.deepEqual(send('attributes'), [point, point]);
  const [both] = send('both');
  assert.deepEqual(both, { sent: send()[0]?.sent, attributes });
});

test('createPlacement returns the same series and arrays for the same ones, and one resource for one', () => {
  const place = createPlacement<Series>('attributes');
  const columns = [series, { ...series, start: 2n }];
  const [first, second] = place(columns);
  assert.equal(place(columns), place(columns));
  assert.equal(place([series])[0], first);
  assert.equal(first?.resource, second?.resource);
  assert.deepEqual(first?.attributes, own);
  assert.equal(createPlacement<Series>('resource')(columns), columns);
});
