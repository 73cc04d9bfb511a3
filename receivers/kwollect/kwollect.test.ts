import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { freeClaims } from '../../src/component/claims.js';
import { parseSettings } from '../../src/config/settings.js';
import { createCertificate, noOpenssl } from '../../src/http/certificate.fixture.js';
import { serve } from '../../src/http/device.fixture.js';
import { timeOf, type Table } from '../../src/model/table.js';
import { startReceiver } from '../../src/scraping/running-receiver.fixture.js';
import { createFolder } from '../../src/testing/temporary-folder.fixture.js';
import { until } from '../../src/testing/until.js';
import { factory } from './factory.js';
import { findQuantity, parsePoints } from './points.js';

const second = 1_000_000_000n;
const nodes = ['taurus-1'];
const often = { collection_interval: '100ms', delay: '1s' };

interface Recorded {
  readonly at: bigint;
  readonly watts: number;
  readonly node?: string;
}

/** The API of a site, with what it has recorded. It gives what its window has, in any order. */
class Site {
  readonly points: Recorded[] = [];
  readonly windows: { readonly from: number; readonly to: number }[] = [];
  failure: string | undefined;

  answer(url: string): string {
    const { searchParams: query } = new URL(url, 'http://site');
    const [from, to] = ['start_time', 'end_time'].map((name) => Date.parse(query.get(name) ?? ''));
    this.windows.push({ from: from ?? NaN, to: to ?? NaN });
    if (this.failure !== undefined) return this.failure;
    const inWindow = this.points.filter(({ at }) => {
      const ms = Number(at) / 1e6;
      return ms >= (from ?? NaN) && ms <= (to ?? NaN);
    });
    return JSON.stringify(inWindow.toReversed().map(describe));
  }

  /** Records a power each second, up to an instant. */
  record(powers: readonly number[], last: bigint): void {
    powers.forEach((watts, i) =>
      this.points.push({ at: last - BigInt(powers.length - 1 - i) * second, watts }),
    );
  }

  async open(t: TestContext): Promise<string> {
    return serve(t, ({ url = '' }, response) => void response.end(this.answer(url)));
  }
}

function describe({ at, watts, node = 'taurus-1' }: Recorded): unknown {
  const fraction = String((at / 1000n) % 1_000_000n).padStart(6, '0');
  const timestamp = `${new Date(Number(at / 1_000_000n) + 3_600_000).toISOString().slice(0, 19)}.${fraction}+01:00`;
  const labels = { _device_orig: ['wattmetre1-port8'] };
  return { timestamp, device_id: node, metric_id: 'wattmetre_power_watt', value: watts, labels };
}

function wallNs(): bigint {
  return BigInt(Date.now()) * 1_000_000n;
}

const meter = 'taurus-1/wattmetre_power_watt/wattmetre1-port8';

function readColumn(tables: readonly Table[], metric: string): (readonly [bigint, number])[] {
  return tables.flatMap((table) => {
    const column = table.series.findIndex((series) => series.metric.name === metric);
    const width = table.series.length;
    if (column < 0) return [];
    return [...table.offsets].map(
      (_, row) => [timeOf(table, row), table.values[row * width + column]] as const,
    );
  });
}

test('kwollect publishes points with their own instants, and their energy', async (t) => {
  const site = new Site();
  const last = wallNs() - 5n * second;
  site.record([100, 200, 100, 131.7], last);
  const endpoint = await site.open(t);
  const { collector } = await startReceiver(t, factory, { ...often, endpoints: [{ endpoint, nodes }] });
  await until(() => readColumn(collector.tables, 'hw.power').length === 4);
  assert.deepEqual(
    readColumn(collector.tables, 'hw.power'),
    [100, 200, 100, 131.7].map((watts, i) => [last - BigInt(3 - i) * second, watts]),
  );
  const energies = readColumn(collector.tables, 'hw.meter.energy').map(([, joules]) => joules);
  assert.deepEqual(energies, [0, 150, 300, 415.85]);
  const { attributes } = collector.last('hw.meter.energy')[0]?.series ?? { attributes: {} };
  assert.deepEqual(attributes, {
    'hw.type': 'meter',
    'hw.id': meter,
    'hw.name': 'taurus-1',
    'energy.method': 'measured',
    'energy.interface': 'kwollect',
  });
});

test('kwollect takes each point once, and none that is late', async (t) => {
  const site = new Site();
  const start = wallNs() - 4n * second;
  site.points.push({ at: start, watts: 10 }, { at: start, watts: 10 }, { at: start + second, watts: 20 });
  const endpoint = await site.open(t);
  const { collector } = await startReceiver(t, factory, { ...often, endpoints: [{ endpoint, nodes }] });
  await until(() => collector.tables.length > 0);
  const before = site.windows.length;
  await until(() => site.windows.length > before);
  // Recorded in between, when its window had been asked for.
  site.points.push({ at: start + second / 2n, watts: 99 });
  const late = wallNs();
  site.points.push({ at: late, watts: 30 });
  await until(() => readColumn(collector.tables, 'hw.power').length === 3);
  assert.deepEqual(
    readColumn(collector.tables, 'hw.power').map(([, watts]) => watts),
    [10, 20, 30],
  );
});

test('kwollect begins another energy after a gap', async (t) => {
  const site = new Site();
  const start = wallNs() - 30n * second;
  site.record([100, 100], start);
  site.record([100, 100], start + 20n * second);
  const endpoint = await site.open(t);
  const settings = { ...often, max_gap: '5s', endpoints: [{ endpoint, nodes }] };
  const { collector } = await startReceiver(t, factory, settings);
  await until(() => readColumn(collector.tables, 'hw.power').length === 4);
  const energies = readColumn(collector.tables, 'hw.meter.energy').map(([, joules]) => joules);
  assert.deepEqual(energies, [0, 100, 0, 100]);
  assert.equal(collector.tables.flatMap(({ ended }) => ended ?? []).length, 1);
  assert.equal(collector.last('hw.meter.energy')[1]?.series.start, start + 19n * second);
});

test('kwollect asks for what it has missed, a minute at a time', async (t) => {
  const site = new Site();
  site.failure = '<html>';
  const endpoint = await site.open(t);
  let shiftNs = 0n;
  const clock = {
    wallNs: () => wallNs() + shiftNs,
    monotonicNs: () => process.hrtime.bigint(),
    countBreaks: () => 0,
  };
  const settings = { ...often, endpoints: [{ endpoint, nodes }] };
  const { log, collector } = await startReceiver(t, factory, settings, { clock });
  await until(() => log.lines.length === 1);
  assert.match(log.lines[0] ?? '', /expected a list in JSON, found other text$/u);
  site.failure = undefined;
  await until(() => log.lines.length === 2);
  const before = site.windows.length;
  // A quarter of an hour in which nothing was asked for: more than a reading asks for.
  site.record([50], clock.wallNs() + 800n * second);
  shiftNs = 900n * second;
  await until(() => readColumn(collector.tables, 'hw.power').length === 1);
  const windows = site.windows.slice(before);
  assert.ok(windows.length >= 14);
  assert.ok(windows.every(({ from, to }) => to - from <= 60_000 && to > from));
  windows.slice(1).forEach(({ from }, i) => assert.equal(from, windows[i]?.to));
});

test('kwollect asks for shorter times where there are many points', async (t) => {
  const site = new Site();
  const start = wallNs() - 40n * second;
  for (let i = 0; i < 50 * 35; i++) site.points.push({ at: start + BigInt(i) * 20_000_000n, watts: 100 });
  const endpoint = await site.open(t);
  const { collector } = await startReceiver(t, factory, { ...often, endpoints: [{ endpoint, nodes }] });
  await until(() => readColumn(collector.tables, 'hw.power').length === 50 * 35);
  const lengths = site.windows.map(({ from, to }) => to - from);
  assert.ok(lengths.includes(20_000) && lengths.some((ms) => ms > 4000 && ms < 10_000), lengths.join());
  assert.equal(readColumn(collector.tables, 'hw.meter.energy').at(-1)?.[1], 3498);
});

test('kwollect publishes the energy of the host', async (t) => {
  const site = new Site();
  site.record([100, 100], wallNs() - 3n * second);
  const endpoint = await site.open(t);
  const endpoints = [{ endpoint, nodes, measures: 'host' }];
  const { collector } = await startReceiver(t, factory, { ...often, endpoints });
  await until(() => collector.tables.length > 0);
  assert.equal(collector.last('hw.host.energy')[0]?.value, 100);
  assert.equal(collector.last('hw.host.power')[0]?.value, 100);
  const claims = { ...freeClaims, claim: () => 'ipmi' };
  const other = await startReceiver(t, factory, { ...often, endpoints }, { claims });
  await until(() => other.collector.tables.length > 0);
  assert.equal(other.collector.last('hw.meter.energy')[0]?.value, 100);
});

test('kwollect names what is wrong: no user, another certificate, an error of the API, a site that hangs', async (t) => {
  const answers = [
    await serve(
      t,
      (_, response) => void response.writeHead(401, { 'WWW-Authenticate': 'Basic realm="g5k"' }).end(),
    ),
    await serve(t, (_, response) => void response.end('{"message":"no such metric"}')),
    await serve(t, (_, response) => void response.end('[{"timestamp":5}]')),
    await serve(t, () => undefined),
  ];
  const endpoints = answers.map((endpoint) => ({ endpoint, nodes }));
  const { log } = await startReceiver(t, factory, { ...often, endpoints, timeout: '200ms' });
  await until(() => log.lines.length === 4);
  assert.deepEqual(log.lines.map((line) => line.replace(/^error: Cannot read http:\S+: /u, '')).toSorted(), [
    'HTTP 401; set credentials.username and credentials.password_file to those of the site',
    'expected a list in JSON, found no such metric',
    'expected an answer within 200 ms, found none',
    'expected records with timestamp, device_id, metric_id and value, found others',
  ]);
});

test(
  'kwollect verifies the certificate of the site, and sends its user there',
  { skip: noOpenssl },
  async (t) => {
    const tls = createCertificate();
    const site = new Site();
    site.record([100], wallNs() - 3n * second);
    const expected = `Basic ${Buffer.from('me:secret').toString('base64')}`;
    const endpoint = await serve(
      t,
      ({ url = '', headers }, response) => {
        if (headers.authorization === expected) response.end(site.answer(url));
        else response.writeHead(401, { 'WWW-Authenticate': 'Basic realm="g5k"' }).end();
      },
      tls,
    );
    const unknown = await startReceiver(t, factory, { ...often, endpoints: [{ endpoint, nodes }] });
    await until(() => unknown.log.lines.length > 0);
    assert.match(unknown.log.lines[0] ?? '', /self-signed certificate/u);
    const file = join(createFolder(), 'password');
    writeFileSync(file, 'secret\n');
    const credentials = { username: 'me', password_file: file };
    const settings = {
      ...often,
      endpoints: [{ endpoint, nodes }],
      credentials,
      tls: { ca_file: tls.certFile },
    };
    const { collector } = await startReceiver(t, factory, settings);
    await until(() => collector.tables.length > 0);
  },
);

test('parsePoints reads instants to the microsecond, in the order of time, without what is no point', () => {
  const record = { device_id: 'n', metric_id: 'bmc_node_power_watt', labels: {} };
  const text = JSON.stringify([
    { ...record, timestamp: '2020-01-01T00:00:01.5+01:00', value: 2 },
    { ...record, timestamp: '2020-01-01T00:00:00.007812+01:00', value: 1 },
    { ...record, timestamp: '2020-01-01 00:00:02Z', value: 3 },
    { ...record, timestamp: 'yesterday', value: 4 },
    { ...record, timestamp: '2020-01-01T00:00:01Z', value: null },
    null,
  ]);
  assert.deepEqual(
    parsePoints(text).map(({ at, value, id }) => [at, value, id]),
    [
      [1_577_833_200_007_812_000n, 1, 'n/bmc_node_power_watt'],
      [1_577_833_201_500_000_000n, 2, 'n/bmc_node_power_watt'],
      [1_577_836_802_000_000_000n, 3, 'n/bmc_node_power_watt'],
    ],
  );
  assert.deepEqual(parsePoints('[]'), []);
});

test('parsePoints distinguishes the series of a metric by their labels', () => {
  const record = { timestamp: '2020-01-01T00:00:01Z', device_id: 'n', metric_id: 'bmc_psu_current_amp' };
  const text = JSON.stringify([
    { ...record, value: 1.2, labels: { psu: '1' } },
    { ...record, value: 1.4, labels: { psu: '2', _device_alias: 'n.site', bank: 1, on: true } },
    { ...record, value: 2.6, labels: { psu: '1', _device_orig: ['pdu1-port1', 'pdu2-port1'] } },
  ]);
  assert.deepEqual(
    parsePoints(text).map(({ id }) => id),
    [
      'n/bmc_psu_current_amp/psu=1',
      'n/bmc_psu_current_amp/bank=1/psu=2',
      'n/bmc_psu_current_amp/pdu1-port1/pdu2-port1/psu=1',
    ],
  );
  assert.equal(findQuantity('bmc_psu_current_amp'), 'current');
});

test('kwollect refuses settings that cannot work', () => {
  const endpoints = [
    { nodes: [], metrics: ['wattmetre_power_watt', 'network_iface'] },
    { nodes: ['a', 'b'], measures: 'host' },
  ];
  assert.deepEqual(factory.check?.(parseSettings(factory.schema, { endpoints })), [
    'endpoints.0.metrics: expected names that end in _watt, _celsius, _volt, _ampere or _amp, found "network_iface"',
    'endpoints.0.nodes: expected at least one node, found none',
    'endpoints.1.measures: expected one node and one metric of power for host, found 2 and 1',
  ]);
});
