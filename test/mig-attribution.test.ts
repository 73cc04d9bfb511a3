import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { factory as otlpHttp } from '../exporters/otlp_http/factory.js';
import { factory } from '../processors/attribution/factory.js';
import { h100, withoutCompiler as skip, type Answers } from '../receivers/nvml/fake-nvml.fixture.js';
import { startRig } from '../receivers/nvml/nvml.fixture.js';
import type { Consumer } from '../src/component/consumer.js';
import { createFakeContext, createMeterReader, createTableCollector } from '../src/component/fakes.js';
import { parseSettings } from '../src/config/settings.js';
import { startExporter } from '../src/export/exporter.fixture.js';
import { openHttpBackend } from '../src/http/http-backend.fixture.js';
import { createFakeProcfs } from '../src/identity/fake-procfs.fixture.js';
import { checkTables } from '../src/model/check-tables.js';
import { decodePoints, type DecodedPoint } from '../src/otlp/decode-request.fixture.js';
import { computeShare, listChanges, type Reading } from './gpu-shares.js';
import { lastValues, total } from './sums.js';

const containers = ['a', 'b', 'c'].map((letter) => letter.repeat(64));
const [a = '', b = '', c = ''] = containers;
/** Five processes in three containers; one of those uses both GPUs. */
const containerOf: Readonly<Record<number, string>> = { 101: a, 102: b, 103: b, 104: a, 105: c };
const pids = Object.keys(containerOf).map(Number);

/**
 * The first GPU is time-sliced, the second divided into instances of 16, 60 and 16 of its 132 SMs, the last one
 * unused.
 */
const machine: Answers = {
  ...h100,
  Count: '0 2',
  '0.UUID': '0 GPU-0',
  '1.UUID': '0 GPU-1',
  '0.ComputeRunningProcesses': '0 101 1 102 1 103 1',
  '1.MigMode': '0 1 1',
  '1.MaxMigDeviceCount': '0 7',
  '1.ProcessUtilization': '3',
  '1.UtilizationRates': '3',
  '1.Profile.4': '0 132',
  ...Object.fromEntries(
    [16, 60, 16].flatMap((sms, i): [string, string][] => [
      [`1.MigDevice.${i}`, `0 ${100 + i}`],
      [`${100 + i}.UUID`, `0 MIG-${i}`],
      [`${100 + i}.Attributes`, `0 ${sms}`],
      [`${100 + i}.GpuInstanceId`, `0 ${i + 1}`],
      [`1.Gpm.${i + 1}.2`, '0 0'],
    ]),
  ),
  '100.ComputeRunningProcesses': '0 104 1000',
  '101.ComputeRunningProcesses': '0 105 1000',
};

/** A reading of the simulated library, at 10 Hz. */
function answerAt(i: number): Answers {
  const stampUs = (Date.now() - 5) * 1000;
  const samples = [101, 102, 103].map((pid, p) => `${pid} ${stampUs} ${(7 * i * (p + 1)) % 31} 0 0 0`);
  return {
    '0.ProcessUtilization': `0 ${samples.join(' ')}`,
    '0.TotalEnergyConsumption': `0 ${2_423_875 + 50_000 * i + 777 * (i % 7)}`,
    '1.TotalEnergyConsumption': `0 ${2_423_875 + 20_000 * i + 333 * (i % 5)}`,
    '1.Gpm.1.2': `0 ${10 + ((13 * i) % 90)}`,
    '1.Gpm.2.2': `0 ${(29 * i) % 70}`,
  };
}

/** The processor attribution before an OTLP exporter, whose requests are decoded by an independent decoder. */
async function startPath(t: TestContext) {
  const { url: endpoint, received } = await openHttpBackend(t);
  const { exporter } = await startExporter(t, otlpHttp, { endpoint });
  const out = createTableCollector();
  const both: Consumer = { consume: (table) => out.consume(table) && exporter.consume(table) };
  const telemetry = createMeterReader();
  const settings = {
    views: ['process', 'container'],
    process_limit: 0,
    floor: [{ hw_type: 'gpu', power: 0 }],
  };
  const context = createFakeContext({ id: 'attribution', meter: telemetry.meter });
  const processor = factory.create(parseSettings(factory.schema, settings), context, both);
  await processor.start();
  return {
    processor,
    readResidual: async () =>
      (await telemetry.read())['joulemetry.attribution.residual{gpu,measured,gpu_time}'],
    /** All exported points. */
    async finish(): Promise<readonly DecodedPoint[]> {
      await processor.shutdown();
      await exporter.shutdown();
      checkTables(out.tables);
      return received.flatMap(({ bytes }) => decodePoints(bytes));
    },
  };
}

type IsWanted = (point: DecodedPoint) => boolean;

const onGpu =
  (id: string): IsWanted =>
  ({ attributes }) =>
    attributes['hw.id'] === id;

const isOf =
  (pid: number): IsWanted =>
  ({ resource, attributes }) =>
    resource['process.pid'] === `int ${pid}` &&
    ['general', undefined].includes(attributes['hw.gpu.task'] as string);

function readingsOf(points: readonly DecodedPoint[], name: string, isWanted: IsWanted): readonly Reading[] {
  const [{ time: epoch } = { time: 0n }] = points;
  return points
    .filter((point) => point.name === name && point.value !== undefined && isWanted(point))
    .map(({ time, value }) => ({ at: Number(time - epoch), value: Number(value) }))
    .toSorted((one, other) => one.at - other.at);
}

function joulesOf(points: readonly DecodedPoint[], name: string, isWanted: IsWanted): number {
  return total(lastValues(points.filter((point) => point.name === name && isWanted(point))));
}

/** Windows are 1e8 ns long, GPU time is in whole nanoseconds. */
function assertNear(actual: number, expected: number, what: string): void {
  assert.ok(
    Math.abs(actual - expected) < 1e-7 * Math.max(1, expected),
    `${what}: ${actual} J, expected ${expected} J`,
  );
}

test(
  'the energy of two GPUs, one of them with MIG, goes to processes, containers and instances at 10 Hz',
  { skip },
  async (t) => {
    const procfs = createFakeProcfs();
    for (const [pid, id] of Object.entries(containerOf)) {
      procfs.write(Number(pid), { comm: `p${pid}`, cgroup: `/system.slice/docker-${id}.scope` });
    }
    const path = await startPath(t);
    const rig = await startRig(t, {
      answers: machine,
      settings: { procfs: procfs.path },
      next: path.processor,
    });
    for (let i = 1; i <= 30; i++) {
      await sleep(100);
      await rig.readWith(answerAt(i));
    }
    assert.equal(await path.readResidual(), 0);
    const points = await path.finish();

    const energyOf = (gpu: string) => listChanges(readingsOf(points, 'hw.energy', onGpu(gpu)));
    const share = (gpu: string, own: readonly Reading[]) =>
      computeShare(energyOf(gpu), readingsOf(points, 'hw.gpu.time', onGpu(gpu)), own);
    const expected = new Map(
      pids.map((pid): [number, number] => [
        pid,
        share(pid < 104 ? 'GPU-0' : 'GPU-1', readingsOf(points, 'process.gpu.time', isOf(pid))),
      ]),
    );
    for (const [pid, joules] of expected) {
      assert.ok(joules > 50, `process ${pid} used ${joules} J`);
      assertNear(joulesOf(points, 'process.energy', isOf(pid)), joules, `process ${pid}`);
    }
    for (const id of containers) {
      const isIn: IsWanted = ({ resource }) => resource['container.id'] === id;
      const own = [...expected].filter(([pid]) => containerOf[pid] === id).map(([, joules]) => joules);
      assertNear(joulesOf(points, 'container.energy', isIn), total(own), `container ${id.slice(0, 1)}`);
    }
    // Every process has its own instance, and the last instance has no process.
    for (const [id, joules] of [
      ['MIG-0', expected.get(104)],
      ['MIG-1', expected.get(105)],
      ['MIG-2', 0],
    ] as const) {
      assertNear(joulesOf(points, 'hw.gpu.instance.energy', onGpu(id)), joules ?? NaN, id);
    }
    for (const gpu of ['GPU-0', 'GPU-1']) {
      const energy = energyOf(gpu);
      const growth = (energy.at(-1)?.value ?? NaN) - (energy[0]?.value ?? NaN);
      assertNear(joulesOf(points, 'ledger.energy', onGpu(gpu)), growth, `parts of ${gpu}`);
    }
    const measured = points.filter(({ name }) => name === 'hw.energy');
    assert.deepEqual(
      new Set(measured.map(({ attributes }) => attributes['hw.id'])),
      new Set(['GPU-0', 'GPU-1']),
    );
  },
);
