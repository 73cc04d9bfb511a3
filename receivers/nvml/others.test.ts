import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { createFakeProcfs } from '../../src/identity/fake-procfs.fixture.js';
import { h100, withoutCompiler as skip, type Answers } from './fake-nvml.fixture.js';
import { startRig } from './nvml.fixture.js';

// Values of other tools' tests for the same answers of NVML.

test('nvml has the same power, energy, memory and utilization as Kepler', { skip }, async (t) => {
  // internal/device/gpu/nvidia/nvml_test.go and collector_test.go of Kepler: 100,000 mW, 5,000,000 mJ, a
  // process with 1,024 bytes and 50 % of the SMs.
  const procfs = createFakeProcfs();
  procfs.write(1234, { comm: 'train' });
  const answers = {
    ...h100,
    '0.Field.186': '0 100000 1',
    '0.TotalEnergyConsumption': '0 4000000',
    '0.ComputeRunningProcesses': '0 1234 1024',
  };
  const rig = await startRig(t, { answers, settings: { procfs: procfs.path } });
  const stampUs = (Date.now() + 100) * 1000;
  await rig.readWith({
    '0.TotalEnergyConsumption': '0 5000000',
    '0.ProcessUtilization': `0 1234 ${stampUs} 50 0 0 0`,
  });
  assert.equal(rig.last('hw.gpu.power', { 'hw.gpu.power.window': 'instant' }), 100);
  assert.equal(rig.last('hw.energy'), 1000);
  const process = { 'process.pid': 1234 };
  assert.equal(rig.last('process.gpu.memory.usage', process), 1024);
  assert.equal(rig.last('process.gpu.utilization', { ...process, 'hw.gpu.task': 'general' }), 0.5);
});

/** The third and the fourth GPU of CEEMS' fake nvidia-smi: A100 cards with 108 SMs, each with three instances. */
const ceems = [
  {
    uuid: 'GPU-956348bc-d43d-23ed-53d4-857749fa2b67',
    instances: [
      ['MIG-ce2e805f-ce8e-5cf7-8132-176167d87d24', 1, 42, 0.388_888_888_888_888_9],
      ['MIG-2cc993d7-588c-5c28-b454-b3851897e3d7', 5, 14, 0.129_629_629_629_629_62],
      ['MIG-4bd078f2-f9bb-5bfb-8695-774674f75e96', 13, 14, 0.129_629_629_629_629_62],
    ],
  },
  {
    uuid: 'GPU-feba7e40-d724-01ff-b00f-3a439a28a6c7',
    instances: [
      ['MIG-4894e267-46d0-557e-b826-500e978d88d1', 1, 56, 0.518_518_518_518_518_5],
      ['MIG-ed3d4e0a-516b-5cdf-a202-6239aa536031', 5, 28, 0.259_259_259_259_259_24],
      ['MIG-017c61e4-656c-5059-b7b1-276506580e3c', 6, 14, 0.129_629_629_629_629_62],
    ],
  },
] as const;

function answerCeems(): Answers {
  const gpus = ceems.flatMap(({ uuid, instances }, gpu) => [
    [`${gpu}.UUID`, `0 ${uuid}`],
    [`${gpu}.MigMode`, '0 1 1'],
    [`${gpu}.MaxMigDeviceCount`, '0 7'],
    [`${gpu}.Profile.4`, '0 108'],
    ...instances.flatMap(([id, gpuInstance, sms], i) => {
      const device = 100 * (gpu + 1) + i;
      return [
        [`${gpu}.MigDevice.${i}`, `0 ${device}`],
        [`${device}.UUID`, `0 ${id}`],
        [`${device}.GpuInstanceId`, `0 ${gpuInstance}`],
        [`${device}.Attributes`, `0 ${sms}`],
        [`${gpu}.Gpm.${gpuInstance}.2`, '0 100'],
      ];
    }),
  ]);
  return { ...h100, Count: '0 2', '*.Name': '0 NVIDIA A100-PCIE-40GB', ...Object.fromEntries(gpus) };
}

test(
  'nvml finds the same instances as CEEMS, and weighs them by the same fractions of SMs',
  { skip },
  async (t) => {
    // pkg/collector/gpu_test.go and testdata/nvidia-smi of CEEMS. An A100 has no profiling counters; they are
    // added here.
    const rig = await startRig(t, { answers: answerCeems() });
    await sleep(120);
    await rig.read();
    for (const { uuid, instances } of ceems) {
      const times = instances.map(
        ([id]) => rig.last('hw.gpu.time', { 'hw.id': id, 'hw.parent': uuid }) ?? NaN,
      );
      const [first = NaN] = times;
      const [[, , , firstFraction]] = instances;
      instances.forEach(([id, , , fraction], i) => {
        const found = ((times[i] ?? NaN) / first) * firstFraction;
        assert.ok(Math.abs(found - fraction) < 1e-12, `${id}: ${found}, expected ${fraction}`);
      });
    }
    const names = rig.next.last('hw.gpu.memory.limit').map(({ series }) => series.attributes['hw.id']);
    assert.deepEqual(
      new Set(names),
      new Set(ceems.flatMap(({ uuid, instances }) => [[uuid], instances.map(([id]) => id)].flat())),
    );
  },
);
