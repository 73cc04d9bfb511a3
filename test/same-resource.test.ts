import assert from 'node:assert/strict';
import { mkdirSync, readlinkSync, realpathSync } from 'node:fs';
import { basename, join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { factory as cgroups } from '../receivers/cgroup/factory.js';
import { factory as perf } from '../receivers/perf/factory.js';
import { makePerfCgroup } from '../receivers/perf/perf-cgroups.fixture.js';
import { factory as processes } from '../receivers/process/factory.js';
import { factory as simulator } from '../receivers/simulator/factory.js';
import { readCommandIdentity } from '../src/exec/command-identity.js';
import { startHeld } from '../src/linux/held-child.js';
import { perfRefused } from '../src/linux/perf/refused.fixture.js';
import type { Attributes } from '../src/model/series.js';
import type { Table } from '../src/model/table.js';
import { createSpec } from '../src/simulation/machine-spec.js';
import { SimulatedTree } from '../src/simulation/tree/simulated-tree.js';
import { createFolder } from '../src/testing/temporary-folder.fixture.js';
import { until } from '../src/testing/until.js';
import { createReceiver, runReceivers, type Creator } from './simulation.fixture.js';

/**
 * The resource that a receiver publishes for a pid or a cgroup: the same in all its tables, otherwise the assertion
 * fails. Other processes of the machine may execute another program meanwhile.
 */
function findResource(tables: readonly Table[], key: unknown): Attributes | undefined {
  const [first, ...others] = tables
    .flatMap(({ series }) => series)
    .map(({ resource }) => resource.attributes)
    .filter((attributes) => (attributes['process.pid'] ?? attributes['linux.cgroup.path']) === key);
  for (const other of others) assert.deepEqual(other, first);
  return first;
}

async function readResource(t: TestContext, creator: Creator, key: unknown): Promise<Attributes | undefined> {
  return findResource(await runReceivers(t, [creator], 100), key);
}

test('process, perf and exec publish the same resource of one process', { skip: perfRefused }, async (t) => {
  const sleep = realpathSync('/bin/sleep');
  const child = await startHeld(sleep, ['600']);
  t.after(() => child.signal('SIGKILL'));
  const { pid } = child;
  const ofExec = readCommandIdentity(pid, Buffer.from(sleep));
  child.release();
  await until(() => readlinkSync(`/proc/${pid}/exe`) === sleep);
  const ofProcess = await readResource(t, createReceiver(processes, {}), pid);
  const settings = { events: ['task-clock'], machine: false, processes: { pids: [pid] } };
  const ofPerf = await readResource(t, createReceiver(perf, settings), pid);
  assert.equal(ofProcess?.['process.executable.path'], sleep);
  assert.deepEqual(ofPerf, ofProcess);
  assert.deepEqual(ofExec, ofProcess);
});

test('cgroup and perf publish the same resource of one cgroup', async (t) => {
  const made = makePerfCgroup(t);
  if (made === undefined) return;
  const path = `${made.path}/docker-${'a'.repeat(64)}.scope`;
  mkdirSync(join(made.folder, basename(path)));
  const settings = { events: ['task-clock'], machine: false, cgroups: [path] };
  const ofPerf = await readResource(t, createReceiver(perf, settings), path);
  assert.ok(ofPerf && 'container.id' in ofPerf && 'systemd.unit' in ofPerf);
  assert.deepEqual(ofPerf, await readResource(t, createReceiver(cgroups, {}), path));
});

test('process and perf read from a simulated tree the resources that the simulator publishes for the same machine', async (t) => {
  const spec = createSpec({ seed: 4, processes: 12, arrivalsPerSecond: 0 });
  const root = createFolder();
  const nowNs = BigInt(Date.now()) * 1_000_000n;
  const tree = new SimulatedTree({ spec, root, boot: { sinceBootNs: 3_600_000_000_000n, wallNs: nowNs } });
  tree.write(0, () => nowNs);
  tree.close();
  const procfs = join(root, 'proc');
  const read = await runReceivers(t, [createReceiver(processes, { procfs, cpu_time: 'procfs' })], 100);
  const settings = { seed: 4, processes: 12, arrivals: 0 };
  const simulated = await runReceivers(t, [createReceiver(simulator, settings)], 100);
  const pids = new Set(
    simulated.flatMap(({ series }) =>
      series.flatMap(({ resource }) => resource.attributes['process.pid'] ?? []),
    ),
  );
  assert.equal(pids.size, 12);
  for (const pid of pids) {
    // A folder of files belongs to the user who wrote it, and simulated time started at another instant.
    const own = { 'process.owner': undefined, 'process.creation.time': undefined };
    assert.deepEqual({ ...findResource(read, pid), ...own }, { ...findResource(simulated, pid), ...own });
  }
});
