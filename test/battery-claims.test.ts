import assert from 'node:assert/strict';
import { mkdirSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import {
  ac,
  FakeSupplies,
  lenovo,
  startRig as startBattery,
} from '../receivers/battery/battery-machine.fixture.js';
import { factory as battery } from '../receivers/battery/factory.js';
import { factory as hwmon } from '../receivers/hwmon/factory.js';
import { FakeSysfs, startRig as startHwmon } from '../receivers/hwmon/hwmon-machine.fixture.js';
import type { Claims } from '../src/component/claims.js';
import type { TableCollector } from '../src/component/fakes.js';
import { ClaimRegistry } from '../src/pipeline/claims.js';
import { rankReceiver } from '../src/pipeline/running-receiver.js';

type Ranked = Parameters<typeof rankReceiver>[0];

/** Receivers of a laptop with an ACPI meter of the whole machine; each returns the metrics that it publishes. */
const receivers = {
  battery: {
    factory: battery,
    async start(t: TestContext, claims: Claims): Promise<ReadonlySet<string>> {
      const rig = await startBattery(t, new FakeSupplies({ AC: ac, BAT0: lenovo }), { claims });
      await rig.read(10);
      return listMetrics(rig.next);
    },
  },
  hwmon: {
    factory: hwmon,
    async start(t: TestContext, claims: Claims): Promise<ReadonlySet<string>> {
      const files = { name: 'power_meter', power1_average: 20e6, power1_average_interval: 50 };
      const sysfs = new FakeSysfs({ hwmon0: { device: 'LNXSYSTM:00/ACPI000D:00', isOld: true, files } });
      const measured = join(sysfs.path, 'class/hwmon/hwmon0/device/measures');
      mkdirSync(measured, { recursive: true });
      symlinkSync('/', join(measured, 'LNXSYBUS:00'));
      return listMetrics((await startHwmon(t, sysfs, { claims })).next);
    },
  },
} as const;

type Id = keyof typeof receivers;

function listMetrics({ tables }: Pick<TableCollector, 'tables'>): ReadonlySet<string> {
  return new Set(tables.flatMap(({ series }) => series).map(({ metric }) => metric.name));
}

function rankOf(factory: (typeof receivers)[Id]['factory']): number {
  return rankReceiver({ factory, keys: { fallback_for: [] } } as unknown as Ranked); // all that it reads
}

const orders: readonly (readonly Id[])[] = [
  ['hwmon', 'battery'],
  ['battery', 'hwmon'],
];

for (const order of orders) {
  test(`a battery leaves the energy of the host to a meter that also measures on mains: ${order.join(', ')}`, async (t) => {
    const registry = new ClaimRegistry();
    const published = new Map<Id, ReadonlySet<string>>();
    const start = async (id: Id): Promise<void> => {
      const { factory, start: run } = receivers[id];
      published.set(id, await run(t, registry.claimsFor(id, rankOf(factory))));
    };
    for (const id of order) await start(id);
    // As the agent does with a receiver whose claim was taken.
    for (const id of order.filter((one) => registry.hasChanged(one))) {
      registry.release(id);
      await start(id);
    }
    assert.ok(published.get('hwmon')?.has('hw.host.energy'));
    assert.ok(published.get('battery')?.has('hw.meter.energy'));
    assert.ok(!published.get('battery')?.has('hw.host.energy'));
  });
}
