import assert from 'node:assert/strict';
import { Writable } from 'node:stream';
import { test, type TestContext } from 'node:test';
import { schema as consoleSchema } from '../exporters/console/config.js';
import { createConsole } from '../exporters/console/console.js';
import { createDebug } from '../exporters/debug/factory.js';
import { renderHistograms, renderNormal } from '../exporters/debug/render.js';
import { writeTables } from '../exporters/file/file.fixture.js';
import { factory as otlpGrpc } from '../exporters/otlp_grpc/factory.js';
import { factory as otlpHttp } from '../exporters/otlp_http/factory.js';
import { factory as prometheus } from '../exporters/prometheus/factory.js';
import { replay } from '../receivers/replay/replay.fixture.js';
import type { ConsumingComponent } from '../src/component/component.js';
import { createFakeContext, createLogCollector } from '../src/component/fakes.js';
import { parseSettings } from '../src/config/settings.js';
import { startExporter } from '../src/export/exporter.fixture.js';
import { openHttpBackend } from '../src/http/http-backend.fixture.js';
import { checkTables } from '../src/model/check-tables.js';
import { seriesKey } from '../src/model/series.js';
import type { Table } from '../src/model/table.js';
import { decodePoints } from '../src/otlp/decode-request.fixture.js';
import { openGrpcBackend } from '../src/otlp/grpc-backend.fixture.js';
import { simulateTables } from '../src/simulation/simulated-tables.js';
import { createFolder } from '../src/testing/temporary-folder.fixture.js';
import { rowsOf } from './simulation.fixture.js';
import { lastValues, total } from './sums.js';

const run = simulateTables();
const joules = total([...run.joules.values()]);
const busySeconds = Number(run.machine.busyNs) / 1e9;
const live = run.machine.liveProcesses;

/** Energy that a domain used between two instants in seconds. */
function usedBetween(name: string, from: number, to: number): number {
  const index = run.machine.domains.findIndex((domain) => domain.name === name);
  return Number(run.machine.energyNj(index, to * 1e6) - run.machine.energyNj(index, from * 1e6)) / 1e9;
}

function feed(exporter: ConsumingComponent, tables: readonly Table[]): void {
  for (const table of tables) assert.equal(exporter.consume(table), true);
}

const transports = {
  async otlp_grpc(t: TestContext) {
    const { endpoint, received } = await openGrpcBackend(t);
    const settings = { endpoint, tls: { insecure: true } };
    return { exporter: (await startExporter(t, otlpGrpc, settings)).exporter, received };
  },
  async otlp_http(t: TestContext) {
    const { url: endpoint, received } = await openHttpBackend(t);
    return { exporter: (await startExporter(t, otlpHttp, { endpoint })).exporter, received };
  },
};

for (const [name, open] of Object.entries(transports)) {
  test(`${name} delivers every reading of a simulated machine, and thus its exact joules`, async (t) => {
    const { exporter, received } = await open(t);
    feed(exporter, run.tables);
    await exporter.shutdown();
    const points = received.flatMap(({ bytes }) => decodePoints(bytes));
    const found = points
      .filter(({ value }) => value !== undefined)
      .map((point) => `${point.name} ${point.start} ${point.time} ${Number(point.value)}`);
    const wanted = rowsOf(run.tables).map(
      ({ series, ns, value }) => `${series.metric.name} ${series.start} ${ns} ${value}`,
    );
    assert.deepEqual(found.toSorted(), wanted.toSorted());
    for (const [id, counted] of run.joules) {
      const own = points.filter((point) => point.name === 'hw.energy' && point.attributes['hw.id'] === id);
      assert.ok(Math.abs(total(lastValues(own)) - counted) < 1e-9 * counted, id);
    }
  });
}

for (const format of ['json', 'csv', 'parquet']) {
  test(`file and replay reproduce every reading and end of series of a simulated machine, as ${format}`, async () => {
    const path = `${createFolder()}/machine.${format}`;
    await writeTables({ path, format }, run.tables);
    const { tables } = await replay({ files: [path] });
    checkTables(tables);
    assert.deepEqual(describe(tables), describe(run.tables));
  });
}

/** All readings and ends of series in a fixed order: a file may split tables. */
function describe(tables: readonly Table[]): readonly string[] {
  const rows = rowsOf(tables).map(
    ({ series, ns, value }) => `${seriesKey(series)} ${series.start} ${ns} ${value}`,
  );
  const ends = tables.flatMap(({ ended = [] }) =>
    ended.map((series) => `${seriesKey(series)} ${series.start} ended`),
  );
  return [...rows, ...ends].toSorted();
}

/** The samples of a page. */
async function scrape(origin: string): Promise<ReadonlyMap<string, number>> {
  const text = await (await fetch(`${origin}/metrics`)).text();
  const samples = [...text.matchAll(/^([^#\s].*) (\S+)$/gm)];
  return new Map(samples.map(([, name = '', value]) => [name, Number(value)]));
}

const valuesOf = (page: ReadonlyMap<string, number>, name: string) =>
  [...page].filter(([sample]) => sample.startsWith(`${name}{`)).map(([, value]) => value);

test('prometheus shows the true sums of a simulated machine, counters that grow, and removes processes that ended', async (t) => {
  const { tables, machine, joules: counted } = simulateTables({ spec: { faults: [] } });
  let ms = 0n;
  const clock = { wallNs: () => 0n, monotonicNs: () => ms * 1_000_000n, countBreaks: () => 0 };
  const log = createLogCollector();
  const settings = parseSettings(prometheus.schema, { endpoint: 'localhost:0', ended_for: '60s' });
  const exporter = prometheus.create(settings, createFakeContext({ log, clock }));
  t.after(() => exporter.shutdown());
  await exporter.start();
  const [, origin = ''] = /(http:\/\/[^/]+)/.exec(log.lines[0] ?? '') ?? [];
  const half = Math.floor(tables.length / 2);
  feed(exporter, tables.slice(0, half));
  const before = await scrape(origin);
  feed(exporter, tables.slice(half));
  ms = 1_000n;
  const after = await scrape(origin);
  assert.equal(valuesOf(after, 'hw_energy_joules_total').length, 5);
  const wanted = total([...counted.values()]);
  assert.ok(Math.abs(total(valuesOf(after, 'hw_energy_joules_total')) - wanted) < 1e-9 * wanted);
  const cpu = valuesOf(after, 'process_cpu_time_seconds_total');
  assert.equal(cpu.length, 2 * machine.births);
  assert.ok(Math.abs(total(cpu) - Number(machine.busyNs) / 1e9) < 1e-9);
  const counters = [...before].filter(([name]) => /^\w+_total\{/.test(name));
  assert.ok(counters.length > 50);
  for (const [name, value] of counters) assert.ok((after.get(name) ?? 0) >= value, name);
  ms = 62_000n;
  const later = valuesOf(await scrape(origin), 'process_cpu_time_seconds_total');
  assert.equal(later.length, 2 * machine.liveProcesses.length);
});

const prefixes: Readonly<Record<string, number>> = { µ: 1e-6, m: 1e-3, k: 1e3, M: 1e6 };

/** The watts and joules of a line that starts with a pattern. */
function readQuantities(text: string, name: string): [watts: number, joules: number] {
  const [, watts, w = '', energy, j = ''] =
    new RegExp(`^ *${name} +([\\d.]+) ([µmkM]?)W +([\\d.]+) ([µmkM]?)J`, 'mu').exec(text) ??
    assert.fail(text);
  return [Number(watts) * (prefixes[w] ?? 1), Number(energy) * (prefixes[j] ?? 1)];
}

/** At least three digits are shown. */
function assertShown(shown: number, truth: number): void {
  assert.ok(Math.abs(shown - truth) <= 0.005 * truth, `shown as ${shown}, truly ${truth}`);
}

test('console shows the true watts, joules and CPU use of a simulated machine', () => {
  let text = '';
  const terminal = new Writable({
    decodeStrings: false,
    write(part: string, _encoding, done) {
      text += part;
      done();
    },
  });
  const settings = parseSettings(consoleSchema, { when: 'always', top: 1000, interval: '1h' });
  const exporter = createConsole(
    settings,
    createFakeContext().clock,
    Object.assign(terminal, { columns: 120 }),
  );
  void exporter.start();
  feed(exporter, run.tables);
  void exporter.shutdown();
  // The counters that still exist started at 2.5 s; the joules cover all counters of the run.
  const watts = [...run.joules.keys()].map((id) => [id, usedBetween(id, 2.5, 4) / 1.5] as const);
  for (const [id, wanted] of watts) assertShown(readQuantities(text, id)[0], wanted);
  const [shownWatts, shownJoules] = readQuantities(text, 'Power');
  assertShown(shownWatts, total(watts.map(([, each]) => each)));
  assertShown(shownJoules, joules);
  const [, busy] = /^CPUs +([\d.]+) /m.exec(text) ?? [];
  assert.ok(Math.abs(Number(busy) - busySeconds / 4) <= 0.005);
  const shares = new Map(
    [...text.matchAll(/ (\d+) +([\d.]+) %$/gm)].map(([, pid, share]) => [pid, Number(share)]),
  );
  const used = live.filter((process) => run.machine.cpuNsOf(process) > 0n);
  assert.equal(shares.size, used.length);
  // Covers the whole displayed time, whenever the process was started.
  for (const process of used) {
    const { pid } = process.identity;
    const share = Number(run.machine.cpuNsOf(process)) / 10 / 4_000_000;
    assert.ok(Math.abs((shares.get(String(pid)) ?? 0) - share) <= 0.051, `pid ${pid}: wanted ${share}`);
  }
});

test('debug writes every value of a simulated machine, and every end of a series', () => {
  let text = '';
  const write = (part: string) => {
    text += part;
    return true;
  };
  feed(createDebug({ numbers: renderNormal, histograms: renderHistograms }, { write }), run.tables);
  const values = [...text.matchAll(/^\d{4}-.* (\S+) \S+$/gm)].map(([, value]) =>
    Number(value === '(gap)' ? NaN : value),
  );
  assert.deepEqual(
    values,
    run.tables.flatMap((table) => [...table.values]),
  );
  const endings = run.tables.flatMap(({ ended = [] }) => ended).length;
  assert.equal([...text.matchAll(/^ended /gm)].length, endings);
});
