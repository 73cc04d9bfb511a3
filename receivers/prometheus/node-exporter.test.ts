import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { createServer, type AddressInfo } from 'node:net';
import { test, type TestContext } from 'node:test';
import { until } from '../../src/testing/until.js';
import { scrape } from './exporter.fixture.js';
import { createPageReader } from './page.fixture.js';

const program = 'prometheus-node-exporter';
const missing = spawnSync(program, ['--version']).status === 0 ? false : `${program} is not here`;

async function findFreePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  // The address of a TCP server is an object.
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}

async function startExporter(t: TestContext): Promise<string> {
  const host = `127.0.0.1:${await findFreePort()}`;
  const child = spawn(program, [`--web.listen-address=${host}`], { stdio: 'ignore' });
  t.after(() => child.kill());
  await until(() =>
    fetch(`http://${host}/`).then(
      ({ ok }) => ok,
      () => false,
    ),
  );
  return host;
}

/** Parses a page in the simplest way: name and labels sorted by name, and the value. */
function readSimply(page: string): Map<string, number> {
  const lines = page.split('\n').filter((line) => line !== '' && !line.startsWith('#'));
  return new Map(
    lines.map((line) => {
      const blank = line.lastIndexOf(' ');
      const [, name = '', labels = ''] = /^([^{]+)(?:\{(.*)\})?$/u.exec(line.slice(0, blank)) ?? [];
      const pairs = [...labels.matchAll(/(\w+)="((?:[^"\\]|\\.)*)"/gu)];
      const texts = pairs
        .filter(([, , value]) => value !== '')
        .map(([, label, value]) => `${label}=${value}`);
      return [[name, ...texts.toSorted()].join(' '), Number(line.slice(blank + 1))];
    }),
  );
}

test('every sample of a real node_exporter has the value of its page', { skip: missing }, async (t) => {
  const host = await startExporter(t);
  const page = await (await fetch(`http://${host}/metrics`)).text();
  const found = new Map<string, number>();
  for (const { series, values } of createPageReader().read(page, undefined, 1000)) {
    for (const [i, { metric, attributes }] of series.entries()) {
      const texts = Object.entries(attributes).map(([label, value]) => {
        const escaped = String(value).replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n');
        return `${label}=${escaped}`;
      });
      found.set([metric.name, ...texts.toSorted()].join(' '), values[i] ?? NaN);
    }
  }
  assert.ok(found.size > 100);
  assert.deepEqual(found, readSimply(page));
  const { valuesOf, log } = await scrape(t, [
    { static_configs: [{ targets: [host] }], scrape_interval: '100s', scrape_timeout: '100s' },
  ]);
  await until(() => valuesOf('up').length > 0);
  assert.deepEqual(valuesOf('up'), [1]);
  assert.deepEqual(log.lines, []);
});
