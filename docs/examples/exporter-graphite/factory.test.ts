import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { test } from 'node:test';
import { createFakeContext, createRow, parseSettings, type Series } from 'joulemetry/plugin';
import { factory } from './factory.js';

const series: Series = {
  metric: { name: 'hw.energy', unit: 'J', description: 'Energy', kind: 'counter', valueType: 'double' },
  resource: { attributes: { 'host.name': 'a b' } },
  attributes: { 'hw.type': 'cpu' },
  start: 0n,
};

test('graphite sends every value as a line, and no gap', async (t) => {
  const received: Promise<string>[] = [];
  const server = createServer((socket) => {
    received.push(text(socket));
    socket.end();
  });
  server.listen(0, 'localhost');
  await once(server, 'listening');
  t.after(() => server.close());
  // It listens on a port, not on a path.
  const { port } = server.address() as AddressInfo;
  const settings = parseSettings(factory.schema, { endpoint: `localhost:${port}` });
  const exporter = factory.create(settings, createFakeContext());
  await exporter.start();
  const rows = [1, NaN, 3].map((value, i) =>
    createRow([series], BigInt(i) * 10n ** 9n, Float64Array.of(value)),
  );
  for (const row of rows) assert.equal(exporter.consume(row), true);
  await exporter.shutdown();
  const lines = (await Promise.all(received)).join('');
  assert.equal(lines, 'hw.energy;host.name=a_b;hw.type=cpu 1 0\nhw.energy;host.name=a_b;hw.type=cpu 3 2\n');
});
