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
import type { Series } from '../src/model/series.js';
import { createRow } from '../src/model/table.js';
import { ClaimRegistry } from '../src/pipeline/claims.js';
import { NamedParents } from '../src/pipeline/parents.js';
import { createSampling } from '../src/sampling/sampling-threads.js';

/** Starts a receiver of a machine, and returns the energy counters that it publishes. */
type Starter = (t: TestContext, claims: Claims) => Promise<readonly Series[]>;

interface Machine {
  readonly name: string;
  readonly receivers: Readonly<Record<string, Starter>>;
  /** Counters to add up, in whatever order the receivers start: each physical domain once. */
  readonly added: readonly string[];
  readonly hosts: number;
  /** The parent of each counter, by `hw.type` or the RAPL name, in whatever order the receivers start. */
  readonly parents: readonly string[];
}

const energies: ReadonlySet<string> = new Set([
  'hw.energy',
  'hw.host.energy',
  'hw.meter.energy',
  'rapl.energy',
]);

function listCounters({
  tables,
}: Pick<ReturnType<typeof createTableCollector>, 'tables'>): readonly Series[] {
  const series = new Set<Series>(tables.flatMap((table) => table.series));
  return [...series].filter(({ metric }) => energies.has(metric.name));
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

/** A BMC or a wattmeter whose load is this host: both claim it in the same way. */
function meterHost(id: string): Starter {
  return (_, claims) => {
    const { metric } = claimEnergy(claims, 'host', id);
    return Promise.resolve([
      { metric, resource: { attributes: {} }, attributes: { 'hw.type': 'host', 'hw.id': id }, start: 0n },
    ]);
  };
}

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
    receivers: {
      rapl,
      hwmon: readHwmon(Object.fromEntries([acpi(0, '')]), 'hwmon0'),
      ipmi: meterHost('ipmi'),
    },
    added: ['cpu', 'memory'],
    hosts: 1,
    parents: ['core in cpu', 'cpu in psys', 'memory in cpu', 'psys in host'],
  },
  {
    name: 'a server with a BMC, a wattmeter and NVIDIA GPUs',
    receivers: { rapl, nvml, redfish: meterHost('redfish'), shelly: meterHost('shelly') },
    added: ['cpu', 'gpu', 'memory'],
    hosts: 1,
    parents: ['core in cpu', 'cpu in psys', 'gpu in host', 'memory in cpu', 'psys in host'],
  },
  {
    name: 'a socket of AMD by RAPL and by amd_energy',
    receivers: { rapl, hwmon: readHwmon(sockets) },
    added: ['cpu', 'memory'],
    hosts: 0,
    parents: ['core in cpu', 'cpu in psys', 'memory in cpu'],
  },
  {
    name: 'Grace Hopper: the module, the socket in it, its parts, and the GPU',
    receivers: { hwmon: readHwmon(Object.fromEntries(grace)), nvml },
    added: ['cpu', 'gpu'],
    hosts: 0,
    parents: ['cpu in cpu', 'cpu in module', 'gpu in module'],
  },
  {
    name: 'a Jetson whose module rail holds all others',
    receivers: {
      hwmon: readHwmon(ina3221('VDD_IN', 'VDD_CPU_GPU_CV', 'VDD_SOC')),
      shelly: meterHost('shelly'),
    },
    added: [],
    hosts: 1,
    parents: ['power_rail in host'],
  },
  {
    name: 'a Jetson with rails of the CPUs and of the GPU',
    receivers: { hwmon: readHwmon(ina3221('GPU', 'CPU', 'SOC')), nvml },
    added: ['cpu', 'gpu', 'power_rail'],
    hosts: 0,
    parents: [],
  },
  {
    name: 'a Jetson with rails of several units, behind a wattmeter',
    receivers: {
      hwmon: readHwmon(ina3221('VDD_GPU_SOC', 'VDD_CPU_CV', 'VIN_SYS_5V0')),
      shelly: meterHost('shelly'),
    },
    added: ['power_rail', 'power_rail', 'power_rail'],
    hosts: 1,
    parents: ['power_rail in host'],
  },
  {
    name: 'a card of Intel by its own receiver and by hwmon',
    receivers: { intel_gpu: intelCard, hwmon: readHwmon(xe) },
    added: ['gpu'],
    hosts: 0,
    parents: ['gpu in gpu'],
  },
  {
    name: 'a GPU of AMD within the socket that RAPL measures',
    receivers: { rapl, hwmon: readHwmon(vega) },
    added: ['cpu', 'memory'],
    hosts: 0,
    parents: ['core in cpu', 'cpu in psys', 'gpu in cpu', 'memory in cpu'],
  },
  {
    name: 'a Jetson with rails of its CPUs and its memory, behind a wattmeter',
    receivers: { hwmon: readHwmon(ina3221('CPU', 'VDDRQ', 'VDD_SOC')), shelly: meterHost('shelly') },
    added: ['cpu', 'memory'],
    hosts: 1,
    parents: ['cpu in host', 'memory in host', 'power_rail in host'],
  },
];

function permute<Item>(items: readonly Item[]): readonly (readonly Item[])[] {
  if (items.length <= 1) return [items];
  return items.flatMap((item) =>
    permute(items.filter((one) => one !== item)).map((rest) => [item].concat(rest)),
  );
}

/** The counters as forwarded once every receiver has started. */
function nameParents(registry: ClaimRegistry, series: readonly Series[]): readonly Series[] {
  const next = createTableCollector();
  new NamedParents(registry, next).consume(createRow(series, 0n, new Float64Array(series.length)));
  return next.tables.flatMap((table) => table.series);
}

function kindOf({ attributes }: Series): string {
  return String(attributes['hw.type'] ?? attributes['rapl.domain']);
}

/** `core in cpu`; a parent that is not published is shown by its id. */
function describeParents(counters: readonly Series[]): readonly string[] {
  const lines = counters.flatMap((one) => {
    const id = one.attributes['hw.parent'];
    const parent = counters.find(({ attributes }) => attributes['hw.id'] === id);
    return id === undefined ? [] : [`${kindOf(one)} in ${parent ? kindOf(parent) : String(id)}`];
  });
  return [...new Set(lines)].toSorted();
}

for (const { name, receivers, added, hosts, parents } of machines) {
  for (const order of permute(Object.keys(receivers))) {
    test(`each domain of ${name} is added up once, and overlapping domains name their parent: ${order.join(', ')}`, async (t) => {
      const registry = new ClaimRegistry();
      const published: (readonly Series[])[] = [];
      for (const id of order) published.push((await receivers[id]?.(t, registry.claimsFor(id))) ?? []);
      registry.complete();
      const counters = published.flatMap((series) => nameParents(registry, series));
      const kindsOf = (metric: string) => counters.filter((one) => one.metric.name === metric).map(kindOf);
      assert.deepEqual(kindsOf('hw.energy').toSorted(), added);
      assert.equal(kindsOf('hw.host.energy').length, hosts);
      assert.deepEqual(describeParents(counters), parents);
    });
  }
}
