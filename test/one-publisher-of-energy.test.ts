import assert from 'node:assert/strict';
import { mkdirSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import * as hwmon from '../receivers/hwmon/hwmon-machine.fixture.js';
import { factory as intelGpu } from '../receivers/intel_gpu/factory.js';
import { startRig as startNvml } from '../receivers/nvml/nvml.fixture.js';
import { schema as raplSchema } from '../receivers/rapl/config.js';
import { RaplReceiver } from '../receivers/rapl/factory.js';
import { FakeSysfs } from '../receivers/rapl/fake-sysfs.fixture.js';
import type { Claims } from '../src/component/claims.js';
import { claimEnergy } from '../src/component/energy-claim.js';
import { createFakeContext, createTableCollector } from '../src/component/fakes.js';
import { parseSettings } from '../src/config/settings.js';
import { FakeCards, startCardRig } from '../src/gpu/fake-cards.fixture.js';
import { ClaimRegistry } from '../src/pipeline/claims.js';
import { createSampling } from '../src/sampling/sampling-threads.js';

/** An energy counter: its metric, its `hw.type` or RAPL's name of it, and the `hw.type` of its parent where that is known. */
type Counter = readonly [metric: string, kind: string];

/** Starts a receiver of a machine, and gives what it publishes. */
type Starter = (t: TestContext, claims: Claims) => Promise<readonly Counter[]>;

interface Machine {
  readonly name: string;
  readonly receivers: Readonly<Record<string, Starter>>;
  /** What is added up, in whatever order the receivers start: each physical domain once. */
  readonly added: readonly string[];
  readonly hosts: number;
}

type Series = ReturnType<ReturnType<typeof createTableCollector>['last']>[number]['series'];

const energies: ReadonlySet<string> = new Set([
  'hw.energy',
  'hw.host.energy',
  'hw.meter.energy',
  'rapl.energy',
]);

function listCounters(next: Pick<ReturnType<typeof createTableCollector>, 'tables'>): readonly Counter[] {
  const series = new Set<Series>(next.tables.flatMap((table) => table.series));
  return [...series]
    .filter(({ metric }) => energies.has(metric.name))
    .map(({ metric, attributes }) => [
      metric.name,
      String(attributes['hw.type'] ?? attributes['rapl.domain']),
    ]);
}

const rapl: Starter = async (t, claims) => {
  const sysfs = new FakeSysfs();
  sysfs.writeZone('intel-rapl:0', { name: 'package-0', microjoules: 7_000_000 });
  sysfs.writeZone('intel-rapl:0:0', { name: 'dram', microjoules: 8_000_000 });
  sysfs.writeZone('intel-rapl:0:1', { name: 'core', microjoules: 5_000_000 });
  sysfs.writeZone('intel-rapl:1', { name: 'psys', microjoules: 20_000_000 });
  const next = createTableCollector();
  const context = createFakeContext({ id: 'rapl', claims });
  const sampling = createSampling(context);
  const config = parseSettings(raplSchema, {
    sysfs: sysfs.root,
    interface: 'powercap',
    sampling_interval: '1h',
  });
  const receiver = new RaplReceiver(config, { ...context, sampling }, next);
  t.after(async () => {
    await receiver.shutdown();
    await sampling.shutdown();
  });
  await receiver.start();
  await receiver.flush();
  return listCounters(next);
};

function readHwmon(chips: Readonly<Record<string, hwmon.FakeChip>>, hostMeter?: string): Starter {
  return async (t, claims) => {
    const sysfs = new hwmon.FakeSysfs(chips);
    if (hostMeter !== undefined) {
      const folder = join(sysfs.path, 'class/hwmon', hostMeter, 'device/measures');
      mkdirSync(folder, { recursive: true });
      symlinkSync('/', join(folder, 'LNXSYBUS:00'));
    }
    const { next } = await hwmon.startRig(t, sysfs, { claims });
    return listCounters(next);
  };
}

const nvml: Starter = async (t, claims) => listCounters((await startNvml(t, { claims })).next);

const card = '0000:03:00.0';

const intelCard: Starter = async (t, claims) => {
  const cards = new FakeCards();
  const files = { device: '0xe20b', 'hwmon/hwmon3/name': 'xe', 'hwmon/hwmon3/energy1_input': 5_000_000 };
  cards.add(1, { address: card, driver: 'xe' }, files);
  const rig = await startCardRig(t, intelGpu, { cards, claims });
  await rig.read();
  return listCounters(rig.next);
};

/** A BMC or a wattmeter whose load is this host: it asks as all of them do. */
const hostMeter: Starter = (_, claims) =>
  Promise.resolve([[claimEnergy(claims, 'host').metric.name, 'host']]);

function acpi(number: number, info: string): readonly [string, hwmon.FakeChip] {
  const power = { power1_average: 200e6, power1_average_interval: 50, power1_is_battery: 0 };
  const files = { name: 'power_meter', ...power, power1_oem_info: info };
  return [`hwmon${number}`, { device: `LNXSYSTM:00/ACPI000D:0${number}`, isOld: true, files }];
}

function ina3221(...rails: readonly string[]): Readonly<Record<string, hwmon.FakeChip>> {
  const files = rails.flatMap((label, i): (readonly [string, string | number])[] => [
    [`in${i + 1}_label`, label],
    [`in${i + 1}_input`, 5000],
    [`curr${i + 1}_input`, 400],
  ]);
  return {
    hwmon0: { device: 'platform/i2c-1/1-0040', files: { name: 'ina3221', ...Object.fromEntries(files) } },
  };
}

const sockets = {
  hwmon0: {
    device: 'platform/amd_energy.0',
    files: { name: 'amd_energy', energy1_input: 9e6, energy1_label: 'Esocket0' },
  },
};
const xe = {
  hwmon3: {
    device: `pci0000:00/${card}`,
    files: { name: 'xe', energy1_input: 5_000_000, energy2_input: 3_000_000 },
  },
};
const vega = {
  hwmon4: {
    device: 'pci0000:00/0000:06:00.0',
    files: { name: 'amdgpu', power1_input: 9e6, in1_label: 'vddnb', in1_input: 900 },
  },
};

const grace = ['Module', 'Grace', 'CPU', 'SysIO'].map((what, i) => acpi(i + 1, `${what} Power Socket 0`));

const machines: readonly Machine[] = [
  {
    name: 'a server with RAPL, psys among it, an ACPI meter of the host and a BMC',
    receivers: { rapl, hwmon: readHwmon(Object.fromEntries([acpi(0, '')]), 'hwmon0'), ipmi: hostMeter },
    added: ['cpu', 'memory'],
    hosts: 1,
  },
  {
    name: 'a server with a BMC, a wattmeter and NVIDIA GPUs',
    receivers: { rapl, nvml, redfish: hostMeter, shelly: hostMeter },
    added: ['cpu', 'gpu', 'memory'],
    hosts: 1,
  },
  {
    name: 'a socket of AMD by RAPL and by amd_energy',
    receivers: { rapl, hwmon: readHwmon(sockets) },
    added: ['cpu', 'memory'],
    hosts: 0,
  },
  {
    name: 'Grace Hopper: the module, the socket in it, its parts, and the GPU',
    receivers: { hwmon: readHwmon(Object.fromEntries(grace)), nvml },
    added: ['cpu', 'gpu'],
    hosts: 0,
  },
  {
    name: 'a Jetson whose module rail holds all others',
    receivers: { hwmon: readHwmon(ina3221('VDD_IN', 'VDD_CPU_GPU_CV', 'VDD_SOC')), shelly: hostMeter },
    added: [],
    hosts: 1,
  },
  {
    name: 'a Jetson with rails of the CPUs and of the GPU',
    receivers: { hwmon: readHwmon(ina3221('VDD_GPU_SOC', 'VDD_CPU_CV', 'VIN_SYS_5V0')), nvml },
    added: ['cpu', 'gpu'],
    hosts: 0,
  },
  {
    name: 'a card of Intel by its own receiver and by hwmon',
    receivers: { intel_gpu: intelCard, hwmon: readHwmon(xe) },
    added: ['gpu'],
    hosts: 0,
  },
  {
    name: 'a GPU of AMD within the socket that RAPL measures',
    receivers: { rapl, hwmon: readHwmon(vega) },
    added: ['cpu', 'memory'],
    hosts: 0,
  },
];

function permute<Item>(items: readonly Item[]): readonly (readonly Item[])[] {
  if (items.length <= 1) return [items];
  return items.flatMap((item) =>
    permute(items.filter((one) => one !== item)).map((rest) => [item].concat(rest)),
  );
}

for (const { name, receivers, added, hosts } of machines) {
  for (const order of permute(Object.keys(receivers))) {
    test(`each domain of ${name} is added up once: ${order.join(', ')}`, async (t) => {
      const registry = new ClaimRegistry();
      const counters: Counter[] = [];
      for (const id of order) counters.push(...((await receivers[id]?.(t, registry.claimsFor(id))) ?? []));
      const kindsOf = (metric: string) => counters.filter(([one]) => one === metric).map(([, kind]) => kind);
      assert.deepEqual(kindsOf('hw.energy').toSorted(), added);
      assert.equal(kindsOf('hw.host.energy').length, hosts);
    });
  }
}
