import assert from 'node:assert/strict';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { createFakeContext, createLogCollector, createTableCollector } from '../../src/component/fakes.js';
import { parseSettings } from '../../src/config/settings.js';
import type { Series } from '../../src/model/series.js';
import { hwEnergy } from '../../src/model/shared-metrics.js';
import { createEnding, createRow } from '../../src/model/table.js';
import { createFolder } from '../../src/testing/temporary-folder.fixture.js';
import { until } from '../../src/testing/until.js';
import { schema } from './config.js';
import { factory } from './factory.js';

const epochS = 1_800_000_000;
const unixNs = (seconds: number) => BigInt(Math.round((epochS + seconds) * 1e3)) * 1_000_000n;

function createMeter(startS = 0): Series {
  const attributes = { 'hw.type': 'cpu', 'hw.id': 'package-0' };
  return { metric: hwEnergy, resource: { attributes: {} }, attributes, start: unixNs(startS) };
}

/** The processor with some settings, and what comes out of it. */
function create(settings: object) {
  const out = createTableCollector();
  const log = createLogCollector();
  const processor = factory.create(parseSettings(schema, settings), createFakeContext({ log }), out);
  const series = [createMeter()];
  return {
    out,
    log,
    processor,
    series,
    feed: (atS: number, joules: number) =>
      processor.consume(createRow(series, unixNs(atS), Float64Array.of(joules))),
    /** The last value of a metric, by accounting. */
    last: (metric: string, accounting = 'location') =>
      out.tables
        .flatMap(({ series: columns, values }) =>
          columns.flatMap((one, column) =>
            one.metric.name === metric && (one.attributes['carbon.accounting'] ?? 'location') === accounting
              ? [values[values.length - columns.length + column] ?? NaN]
              : [],
          ),
        )
        .at(-1),
  };
}

test('carbon gives a kilowatt-hour the intensity of its country, times the PUE', () => {
  const { feed, last, out } = create({ country: 'FRA', pue: 1.5 });
  feed(1, 3.6e6);
  assert.ok(near(last('hw.carbon'), 84), `${last('hw.carbon')}`);
  assert.ok(near(last('carbon.intensity'), 56));
  const [series] = out.tables[1]?.series ?? [];
  assert.deepEqual(series?.attributes, {
    'hw.type': 'cpu',
    'hw.id': 'package-0',
    'carbon.accounting': 'location',
  });
  assert.equal(series?.start, unixNs(0));
  assert.deepEqual(out.tables[2]?.series[0]?.attributes, {
    'carbon.accounting': 'location',
    'carbon.source': 'FRA 2023',
    'carbon.intensity.type': 'average',
  });
});

test('carbon marks a marginal intensity, and does not replace it by the mean of a country', async (t) => {
  const { feed, out, last } = create({ intensity: 400, intensity_type: 'marginal' });
  feed(1, 3.6e6);
  assert.equal(out.tables[2]?.series[0]?.attributes['carbon.intensity.type'], 'marginal');
  assert.equal(last('carbon.intensity'), 400);
  assert.ok(near(last('hw.carbon'), 400));
  const server = await startServer(t, () => '{}');
  const service = { endpoint: server.url };
  const unanswered = create({ country: 'SWE', intensity_type: 'marginal', service });
  t.after(() => unanswered.processor.shutdown());
  await unanswered.processor.start();
  unanswered.feed(1, 3.6e6);
  assert.ok(Number.isNaN(unanswered.last('carbon.intensity')), `${unanswered.last('carbon.intensity')}`);
  await until(() =>
    unanswered.log.lines.some((line) => /nothing is published until there is one/u.test(line)),
  );
});

test('carbon counts market-based emissions and those of making the machine apart', () => {
  const { feed, last } = create({
    intensity: 400,
    market: { intensity: 50 },
    embodied: { kilograms: 365.25, years: 1 },
  });
  feed(1, 1.8e6);
  feed(86_401, 3.6e6);
  assert.ok(near(last('hw.carbon'), 400));
  assert.ok(near(last('hw.carbon', 'market'), 50));
  assert.ok(near(last('hw.host.carbon.embodied'), 1000), `${last('hw.host.carbon.embodied')}`);
});

test('carbon makes a gap of a gap, ends with the counter, and never falls when that is reset', () => {
  const { feed, last, out, processor, series } = create({ intensity: 360 });
  feed(1, 3.6e6);
  feed(2, NaN);
  assert.equal(last('hw.carbon'), NaN);
  feed(3, 3.7e6);
  feed(4, 1e5);
  feed(5, 2e5);
  assert.ok(near(last('hw.carbon'), 380), `${last('hw.carbon')}`);
  processor.consume(createEnding(series, unixNs(6)));
  const [ended] = out.tables.at(-1)?.ended ?? [];
  assert.equal(ended?.metric.name, 'hw.carbon');
});

test('carbon takes the intensity of the time of use from a file, and the mean where it changed in between', async (t) => {
  const file = join(createFolder(), 'intensity.csv');
  writeFileSync(file, `time,intensity\n# hourly\n${lineAt(0, 100)}\n${lineAt(10, 300)}\n${epochS + 20},0\n`);
  const { feed, last, processor } = create({ file });
  t.after(() => processor.shutdown());
  await processor.start();
  feed(5, 3.6e6);
  assert.ok(near(last('hw.carbon'), 100));
  feed(15, 7.2e6);
  assert.ok(near(last('hw.carbon'), 300), `${last('hw.carbon')}`);
  feed(18, 10.8e6);
  assert.ok(near(last('hw.carbon'), 600));
  feed(24, 14.4e6);
  assert.ok(near(last('hw.carbon'), 700), `${last('hw.carbon')}`);
  assert.ok(near(last('carbon.intensity'), 0));
});

test('carbon refuses a file with a line that is no rate, and names it', async () => {
  const file = join(createFolder(), 'intensity.csv');
  writeFileSync(file, 'time,intensity\n2026-01-01T00:00:00Z,-3\n');
  const { processor } = create({ file });
  await assert.rejects(
    async () => processor.start(),
    /intensity\.csv:2: expected "time,value" with a number of 0 or more, found "2026-01-01T00:00:00Z,-3"/u,
  );
});

test('carbon asks a service, keeps its value for the next start, and uses the country without one', async (t) => {
  const server = await startServer(t, () => '{"data":[{"intensity":{"actual":"720"}}]}');
  const cache = join(createFolder(), 'cache.json');
  const service = {
    endpoint: server.url,
    value: 'data.0.intensity.actual',
    headers: { 'auth-token': 'secret' },
    cache,
  };
  const one = create({ country: 'SWE', service });
  t.after(() => one.processor.shutdown());
  await one.processor.start();
  await until(() => {
    one.feed((Date.now() - epochS * 1000) / 1000, 3.6e6);
    return near(one.last('carbon.intensity'), 720);
  });
  assert.equal(server.requests[0]?.headers['auth-token'], 'secret');
  await one.processor.shutdown();
  await server.close();
  const next = create({ country: 'SWE', service });
  t.after(() => next.processor.shutdown());
  await next.processor.start();
  next.feed((Date.now() - epochS * 1000) / 1000, 3.6e6);
  assert.ok(near(next.last('carbon.intensity'), 720));
  const without = create({ country: 'SWE', service: { ...service, cache: null } });
  t.after(() => without.processor.shutdown());
  await without.processor.start();
  without.feed(1, 3.6e6);
  assert.ok(near(without.last('hw.carbon'), 41));
  await until(() =>
    without.log.lines.some((line) => /Cannot get a value from http:.*; the fall-back is used/u.test(line)),
  );
});

test('carbon does not use the kept value of another endpoint or of another place in the answer', async (t) => {
  const server = await startServer(t, () => '{"value":720,"other":100}');
  const cache = join(createFolder(), 'cache.json');
  const service = { endpoint: server.url, value: 'value', cache };
  const one = create({ country: 'SWE', service });
  t.after(() => one.processor.shutdown());
  await one.processor.start();
  await until(() => existsSync(cache) && readFileSync(cache, 'utf8').endsWith('}'));
  await one.processor.shutdown();
  await server.close();
  const readFirst = async (changes: object) => {
    const next = create({ country: 'SWE', service: { ...service, ...changes } });
    t.after(() => next.processor.shutdown());
    await next.processor.start();
    next.feed((Date.now() - epochS * 1000) / 1000, 3.6e6);
    return next.last('carbon.intensity');
  };
  assert.ok(near(await readFirst({}), 720));
  assert.ok(near(await readFirst({ endpoint: `${server.url}?zone=other` }), 41));
  assert.ok(near(await readFirst({ value: 'other' }), 41));
});

test('carbon replaces a value that is too old by that of the country, and names the source of each', async (t) => {
  const answers = ['{"value":720}'];
  const server = await startServer(t, () => answers.shift() ?? 'no JSON');
  const service = { endpoint: server.url, value: 'value', interval: '1s', max_age: '1s' };
  const { feed, last, log, out, processor } = create({ country: 'SWE', service });
  t.after(() => processor.shutdown());
  await processor.start();
  const waitFor = async (intensity: number) =>
    until(() => {
      feed((Date.now() - epochS * 1000) / 1000, 3.6e6);
      return near(last('carbon.intensity'), intensity);
    });
  await waitFor(720);
  await waitFor(41);
  assert.ok(log.lines.some((line) => /Cannot get a value from http:.*; the fall-back is used/u.test(line)));
  answers.push('{"value":700}');
  await waitFor(700);
  const status = out.tables
    .flatMap(({ series }) => series)
    .filter(({ metric }) => metric.name === 'carbon.intensity');
  const sources = [...new Set(status)].map(({ attributes }) => attributes['carbon.source']);
  // Before the first answer, the country may have been used, too.
  assert.deepEqual(sources.slice(-3), ['service', 'SWE 2023', 'service']);
  const ended = out.tables.flatMap((table) => table.ended ?? []);
  // The intensity and its age.
  assert.equal(ended.length, 2 * (sources.length - 1));
  assert.equal(ended.at(-1)?.attributes['carbon.source'], 'SWE 2023');
});

test('carbon reports what is wrong with an answer', async (t) => {
  const answers = ['{"value":"many"}', 'no JSON', '{"value":-1}'];
  const server = await startServer(t, () => answers.shift() ?? '{"value":5}');
  const { log, processor, feed, last } = create({
    service: { endpoint: server.url, value: 'value', interval: '1s' },
  });
  t.after(() => processor.shutdown());
  await processor.start();
  await until(() => {
    feed((Date.now() - epochS * 1000) / 1000, 3.6e6);
    return near(last('carbon.intensity'), 5);
  });
  const text = log.lines.join('\n');
  assert.match(text, /expected a number of 0 or more at "value" of the answer, found "many"/u);
  assert.match(text, /JSON/u);
  assert.match(text, /found -1/u);
  assert.match(text, /answers again/u);
});

test('carbon refuses settings that contradict each other', () => {
  assert.deepEqual(check({}), []);
  assert.match(check({ intensity: 3, file: '/x' }).join('\n'), /expected one of them, found several/u);
  assert.match(check({ country: 'France' }).join('\n'), /expected three letters .* found "France"/u);
  assert.match(check({ intensity_type: 'marginal' }).join('\n'), /expected average, .* found marginal/u);
  assert.match(check({ service: {} }).join('\n'), /service.endpoint: expected an address, found none/u);
  assert.match(check({ metrics: ['hw.power'] }).join('\n'), /expected energy counters/u);
});

/** A line of a file of intensities. */
function lineAt(seconds: number, value: number): string {
  return `${new Date(Number(unixNs(seconds)) / 1e6).toISOString()},${value}`;
}

function check(settings: object): readonly string[] {
  return factory.check?.(parseSettings(schema, settings)) ?? [];
}

function near(value: number | undefined, expected: number): boolean {
  return Math.abs((value ?? NaN) - expected) <= 1e-9 * Math.max(1, expected);
}

async function startServer(t: TestContext, answer: () => string) {
  const requests: { readonly headers: Readonly<Record<string, unknown>> }[] = [];
  const server: Server = createServer((request, response) => {
    requests.push({ headers: request.headers });
    response.setHeader('Connection', 'close').end(answer());
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const close = () => new Promise<void>((resolve) => server.close(() => resolve()));
  t.after(close);
  const { port } = server.address() as AddressInfo;
  return { url: `http://127.0.0.1:${port}/`, requests, close };
}
