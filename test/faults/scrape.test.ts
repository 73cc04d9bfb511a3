import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { createFolder } from '../../src/testing/temporary-folder.fixture.js';
import { until } from '../../src/testing/until.js';
import { startAgent, writeConfig } from '../agent.js';
import { createMeter, type Meter } from '../interop/measured-agent.js';
import { isWithout } from '../interop/peers.js';
import { startPrometheus, type Prometheus } from '../interop/prometheus.js';

const skip = isWithout('prometheus');
const outageMs = 1000 * Number(process.env['JOULEMETRY_FAULT_OUTAGE'] ?? 10);
const selector = 'hw_energy_joules_total{hw_type="cpu"}';

function configureScrapes(): string {
  return writeConfig(`
global: {scrape_interval: 1s, scrape_timeout: 1s}
scrape_configs: [{job_name: joulemetry, static_configs: [{targets: ['localhost:9464']}]}]
`);
}

async function startScrapedAgent(t: TestContext, { sysfs }: Meter) {
  const config = writeConfig(`
receivers: {rapl: {sysfs: ${sysfs}, interface: powercap}}
exporters: {prometheus: {endpoint: localhost:9464}}
service: {pipelines: {metrics: {receivers: [rapl], exporters: [prometheus]}}}
`);
  const agent = startAgent(['run', '-c', config]);
  t.after(() => agent.stop('SIGKILL'));
  await agent.waitFor(/Everything is ready/u);
  return agent;
}

async function readTotal(prometheus: Prometheus): Promise<number | undefined> {
  return (await prometheus.query(selector))[0]?.value;
}

test('a killed Prometheus loses resolution but no joule', { skip }, async (t) => {
  const meter = createMeter(t);
  const storage = [`--storage.tsdb.path=${createFolder()}`];
  const config = configureScrapes();
  const agent = await startScrapedAgent(t, meter);
  meter.run();
  const first = await startPrometheus(t, 'prometheus', config, storage);
  await until(async () => ((await readTotal(first)) ?? 0) > 5);
  await first.stop('SIGKILL');
  const before = meter.joules();
  await sleep(outageMs);
  const second = await startPrometheus(t, 'prometheus', config, storage);
  meter.rest();
  const after = meter.joules();
  assert.ok(after > before);
  await until(async () => (await readTotal(second)) === after);
  assert.equal((await agent.stop()).code, 0);
  const samples = (await second.query(`${selector}[1h]`)).map(({ value }) => value);
  assert.deepEqual(
    samples,
    samples.toSorted((a, b) => a - b),
  );
  assert.ok(samples.some((value) => value <= before));
});

test(
  'an agent that was killed starts its counters at 0 again, and Prometheus shows no spike',
  { skip },
  async (t) => {
    const meter = createMeter(t);
    const agent = await startScrapedAgent(t, meter);
    meter.run();
    const prometheus = await startPrometheus(t, 'prometheus', configureScrapes());
    await until(async () => ((await readTotal(prometheus)) ?? 0) > 5);
    await agent.stop('SIGKILL');
    const atKill = meter.joules();
    await sleep(2000);
    const atStart = meter.joules();
    await startScrapedAgent(t, meter);
    await until(async () => {
      const total = await readTotal(prometheus);
      return total !== undefined && total > 2 && total < atKill;
    });
    meter.rest();
    await sleep(3000);
    const [increase] = await prometheus.query(`sum(increase(${selector}[1h]))`);
    const values = (await prometheus.query(`${selector}[1h]`)).map(({ value }) => value);
    const resets = values.filter((value, index) => value < (values[index - 1] ?? 0));
    assert.equal(resets.length, 1);
    const grown = values.reduce(
      (sum, value, index) =>
        sum + (value < (values[index - 1] ?? 0) ? value : value - (values[index - 1] ?? 0)),
      0,
    );
    // Energy used while no agent ran is in no counter; the last instants before the kill were not scraped.
    assert.ok(grown <= meter.joules() - (atStart - atKill), `${grown} of ${meter.joules()} J`);
    assert.ok(grown > 5);
    t.diagnostic(`increase() ${increase?.value} J, growth ${grown} J, the meter ${meter.joules()} J`);
  },
);
