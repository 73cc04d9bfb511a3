import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { test } from 'node:test';
import { until } from '../../src/testing/until.js';
import { startAgent } from '../agent.js';
import { isWithout } from './peers.js';
import { startPrometheus, type Prometheus } from './prometheus.js';

const example = 'otel-examples/start-timestamps';
const feature = '--enable-feature=created-timestamp-zero-ingestion';

/** Joules that programs called `yes` used according to Prometheus, by a metric. */
async function readIncrease(prometheus: Prometheus, metric: string): Promise<number> {
  const [sum] = await prometheus.query(`sum(increase(${metric}{process_executable_name="yes"}[5m]))`);
  return sum?.value ?? NaN;
}

test(
  'Prometheus counts processes that are in a single scrape, when it reads start timestamps',
  { skip: isWithout('prometheus-otlp') },
  async (t) => {
    const prometheus = await startPrometheus(t, 'prometheus-otlp', `${example}/prometheus.yml`, [feature]);
    const agent = startAgent(['run', '-c', `${example}/joulemetry.yaml`]);
    t.after(() => agent.stop('SIGKILL'));
    await agent.waitFor(/Everything is ready/);
    // Shorter than the 15 s between two scrapes: most are in one scrape, or in one while they run and one
    // after.
    for (let job = 0; job < 6; job++) {
      await once(spawn('timeout', ['6', 'yes'], { stdio: 'ignore' }), 'exit');
    }
    const ofPrograms = () => readIncrease(prometheus, 'program_energy_joules_total');
    await until(
      async () =>
        (await readIncrease(prometheus, 'process_energy_joules_total')) > 0.8 * (await ofPrograms()),
    );
    const joules = await readIncrease(prometheus, 'process_energy_joules_total');
    t.diagnostic(`${joules.toFixed(1)} J by process, ${(await ofPrograms()).toFixed(1)} J by program`);
    assert.ok(joules > 0);
  },
);
