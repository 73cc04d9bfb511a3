import assert from 'node:assert/strict';
import { copyFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { makeCgroup, runShellIn } from '../../src/linux/cgroup/real-cgroups.fixture.js';
import { createFolder } from '../../src/testing/temporary-folder.fixture.js';
import { until } from '../../src/testing/until.js';
import { startAgent, writeConfig } from '../agent.js';
import { isWithout } from '../interop/peers.js';
import { startPrometheus, type Prometheus } from '../interop/prometheus.js';
import { createMeter, type Meter } from '../interop/simulated-meter.js';
import { outageMs } from './cells.js';

const skip = isWithout('prometheus');
/** Joules that are used after a restart. */
const restartedJoules = 15;
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
    const scraped = (await readTotal(prometheus)) ?? 0;
    await agent.stop('SIGKILL');
    const atKill = meter.joules();
    await sleep(2000);
    const atStart = meter.joules();
    await startScrapedAgent(t, meter);
    const ready = meter.joules();
    await until(() => meter.joules() > ready + restartedJoules);
    meter.rest();
    // The counter of the second agent has everything since it was ready at the latest.
    const least = meter.joules() - ready;
    await until(async () => {
      const [, second] = splitAtReset((await prometheus.query(`${selector}[1h]`)).map(({ value }) => value));
      return (second.at(-1) ?? 0) >= least;
    });
    const [increase] = await prometheus.query(`sum(increase(${selector}[1h]))`);
    const values = (await prometheus.query(`${selector}[1h]`)).map(({ value }) => value);
    const [first, second] = splitAtReset(values);
    assert.deepEqual(
      second,
      second.toSorted((x, y) => x - y),
    );
    const grown = (first.at(-1) ?? 0) + (second.at(-1) ?? 0);
    // Energy used while no agent ran is in no counter; the last instants before the kill were not scraped.
    assert.ok(grown <= meter.joules() - (atStart - atKill), `${grown} of ${meter.joules()} J`);
    assert.ok(grown >= scraped + least, `${grown} J, of which ${scraped} J and ${least} J are certain`);
    t.diagnostic(`increase() ${increase?.value} J, growth ${grown} J, the meter ${meter.joules()} J`);
  },
);

/** The values of a counter before and after its only reset. */
function splitAtReset(values: readonly number[]): readonly [readonly number[], readonly number[]] {
  const reset = values.findIndex((value, index) => value < (values[index - 1] ?? 0));
  return reset < 0 ? [values, []] : [values.slice(0, reset), values.slice(reset)];
}

/** One joule per second of CPU time, for programs and cgroups. */
const workloads = `
receivers:
  process: {collection_interval: 200ms}
  cgroup: {collection_interval: 200ms}
  estimate: {collection_interval: 200ms, idle_power: 0, max_power: ${availableParallelism()}}
processors: {attribution: {views: [process, program, cgroup], process_limit: 0, group_limit: 0}}
exporters: {prometheus: {endpoint: localhost:9464}}
service:
  pipelines:
    metrics: {receivers: [process, cgroup, estimate], processors: [attribution], exporters: [prometheus]}
`;

test(
  'processes that came and went while Prometheus was down are in the energy of their program and cgroup',
  { skip },
  async (t) => {
    const made = makeCgroup(t, 2);
    if (typeof made === 'string') return t.skip(made);
    const storage = [`--storage.tsdb.path=${createFolder()}`];
    const config = configureScrapes();
    const agent = startAgent(['run', '-c', writeConfig(workloads)]);
    t.after(() => agent.stop('SIGKILL'));
    await agent.waitFor(/Everything is ready/u);
    const first = await startPrometheus(t, 'prometheus', config, storage);
    await until(async () => (await first.query('program_energy_joules_total')).length > 0);
    await first.stop('SIGKILL');
    const program = join(createFolder(), 'came-and-went');
    copyFileSync('/bin/sh', program);
    const loop = 'i=0; while [ $i -lt 400000 ]; do i=$((i + 1)); done';
    const used = await runShellIn(t, made, `for round in 1 2 3; do ${program} -c '${loop}'; done`);
    const second = await startPrometheus(t, 'prometheus', config, storage);
    const readSum = async (series: string) => (await second.query(`sum(${series})`))[0]?.value ?? 0;
    const ofCgroup = `linux_cgroup_energy_joules_total{linux_cgroup_path="${made.path}"}`;
    const ofProgram = 'program_energy_joules_total{process_executable_name="came-and-went"}';
    await until(async () => (await readSum(ofCgroup)) >= 0.9 * used);
    const joules = [await readSum(ofCgroup), await readSum(ofProgram)];
    t.diagnostic(`${joules.join(' and ')} J for ${used} s`);
    // What a process used after its last reading is not in its program.
    assert.ok(joules.every((one) => one > 0.5 * used && one <= 1.05 * used));
  },
);
