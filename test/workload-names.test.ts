import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type ServerResponse } from 'node:http';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { factory as attribution } from '../processors/attribution/factory.js';
import { factory as workloadNames } from '../processors/workload_names/factory.js';
import { schema } from '../receivers/simulator/config.js';
import { createEnergySeries } from '../receivers/simulator/metrics.js';
import { SimulatorSampler } from '../receivers/simulator/sampler.js';
import { specOf } from '../receivers/simulator/spec.js';
import { UsageScraper } from '../receivers/simulator/usage-scraper.js';
import type { ConsumingComponent } from '../src/component/component.js';
import { createFakeContext, createTableCollector } from '../src/component/fakes.js';
import { parseSettings } from '../src/config/settings.js';
import { createPlans } from '../src/model/plan.js';
import { deriveSeries, type Attributes, type Resource, type Series } from '../src/model/series.js';
import type { Table } from '../src/model/table.js';
import { createFolder } from '../src/testing/temporary-folder.fixture.js';
import { rowsOf, type Row } from './simulation.fixture.js';

const epoch = 1_700_000_000_000_000_000n;

/** Tables of a simulated machine whose processes are in containers; one list per second. */
function simulate(seconds: number): readonly (readonly Table[])[] {
  const settings = { seed: 3, sockets: 1, cpus_per_socket: 4, gpus: 0, processes: 8, arrivals: 5, spread: 0 };
  const config = parseSettings(schema, { ...settings, collection_interval: '1s' });
  let us = 0;
  const clock = {
    wallNs: () => epoch + BigInt(us) * 1000n,
    monotonicNs: () => BigInt(us) * 1000n,
    countBreaks: () => 0,
  };
  const context = createFakeContext({ clock });
  const sampler = new SimulatorSampler(specOf(config), () => us);
  const scraper = new UsageScraper(config, context, 0n);
  const meters = createEnergySeries(sampler.columns, context.host, epoch);
  return Array.from({ length: seconds + 1 }, (_, second) => {
    us = second * 1e6;
    const values = new Float64Array(sampler.width);
    sampler.read(values, 0);
    const energy = { series: meters, epoch: clock.wallNs(), offsets: new Float64Array(1), values };
    return [energy, ...Array.from(scraper.scrape(0), addContainers)];
  });
}

const resourceOf = createPlans((resource: Resource): Resource => {
  const pid = Number(resource.attributes['process.pid']);
  if (!(pid > 0)) return resource;
  return { attributes: { ...resource.attributes, 'container.id': String(pid % 7).repeat(64) } };
});

const seriesOf = createPlans((series: Series) =>
  deriveSeries(series, { resource: resourceOf(series.resource) }),
);

function addContainers(table: Table): Table {
  const { series, ended } = table;
  return { ...table, series: series.map(seriesOf), ...(ended && { ended: ended.map(seriesOf) }) };
}

/** A slow Docker API that does not know one of the containers. */
async function openDocker(t: TestContext): Promise<string> {
  const socket = join(createFolder(), 'docker.sock');
  let count = 0;
  const server = createServer((request, response) => {
    const url = new URL(request.url ?? '', 'http://docker');
    const { id: ids } = JSON.parse(url.searchParams.get('filters') ?? '{}') as { id: readonly string[] };
    const known = ids.filter((id) => !id.startsWith('3'));
    const answer = () => sendContainers(response, known);
    count += 1;
    setTimeout(answer, 10 + 20 * (count % 3)).unref();
  });
  server.listen(socket);
  await once(server, 'listening');
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  return socket;
}

function sendContainers(response: ServerResponse, ids: readonly string[]): void {
  const containers = ids.map((Id) => ({ Id, Names: [`/name-${Id[0]}`], Image: 'web:1' }));
  response.end(JSON.stringify(containers));
}

/** Attributes the energy of these tables; with the socket of an engine, after the processor of names. */
async function attribute(seconds: readonly (readonly Table[])[], socket?: string): Promise<readonly Table[]> {
  const collector = createTableCollector();
  const context = createFakeContext();
  const settings = parseSettings(attribution.schema, { cpu_count: 4, process_limit: 0 });
  const ledger = attribution.create(settings, context, collector);
  const stages: ConsumingComponent[] = [ledger];
  if (socket !== undefined) {
    const names = { sources: ['docker'], docker: { sockets: [socket] }, max_wait: '60s' };
    stages.unshift(workloadNames.create(parseSettings(workloadNames.schema, names), context, ledger));
  }
  for (const stage of stages.toReversed()) await stage.start();
  for (const tables of seconds) {
    for (const table of tables) assert.equal(stages[0].consume(table), true);
    if (socket !== undefined) await sleep(15);
  }
  for (const stage of stages) await stage.shutdown();
  return collector.tables;
}

/** The last value of each series, by its identifying attributes; optionally without names. */
function lastValues(tables: readonly Table[], metric: string): ReadonlyMap<string, number> {
  const last = new Map<string, Row>();
  for (const row of rowsOf(tables, metric)) {
    const { attributes, resource, start } = row.series;
    const described = [withoutNames(resource.attributes), attributes, String(start)];
    last.set(JSON.stringify(described), row);
  }
  return new Map([...last].map(([key, { value }]) => [key, value]));
}

function withoutNames(attributes: Attributes): Attributes {
  const names = /^container\.(?:name|image\..*)$/u;
  const kept = Object.entries(attributes).filter(([key]) => !names.test(key));
  return Object.fromEntries(kept.toSorted(([a], [b]) => (a < b ? -1 : 1)));
}

test('names that arrive late change no joule, and split no counter', async (t) => {
  const socket = await openDocker(t);
  // With series of its own for each: what a ledger has learned about a meter is kept for the next one with its series.
  const [plain, named] = [await attribute(simulate(30)), await attribute(simulate(30), socket)];
  for (const metric of ['ledger.energy', 'hw.energy', 'process.energy', 'process.cpu.time']) {
    const expected = lastValues(plain, metric);
    assert.ok(expected.size > 0, metric);
    assert.deepEqual(lastValues(named, metric), expected, metric);
  }
  const processes = [...new Set(rowsOf(named, 'process.energy').map(({ series }) => series))];
  const keys = processes.map(({ resource, attributes, start }) =>
    JSON.stringify([resource.attributes['process.pid'], attributes, String(start)]),
  );
  assert.equal(new Set(keys).size, keys.length, 'a process has two series');
  const container = (digit: number) =>
    processes.filter(({ resource }) => String(resource.attributes['container.id']).startsWith(String(digit)));
  assert.ok(container(1).length > 1 && container(3).length > 0);
  assert.ok(container(1).every(({ resource }) => resource.attributes['container.name'] === 'name-1'));
  assert.ok(container(3).every(({ resource }) => resource.attributes['container.name'] === undefined));
});

test('the ledger adds up exactly when names arrive late', async (t) => {
  const tables = await attribute(simulate(30), await openDocker(t));
  const sum = (metric: string) => [...lastValues(tables, metric).values()].reduce((all, one) => all + one, 0);
  const first = new Map<Series, number>();
  for (const { series, value } of rowsOf(tables, 'hw.energy'))
    if (!first.has(series)) first.set(series, value);
  const measured = sum('hw.energy') - [...first.values()].reduce((all, one) => all + one, 0);
  assert.ok(measured > 100);
  assert.ok(Math.abs(sum('ledger.energy') - measured) < 1e-6, `${sum('ledger.energy')} J of ${measured} J`);
});
