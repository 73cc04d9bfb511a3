import assert from 'node:assert/strict';
import { test } from 'node:test';
import { freeClaims } from '../../src/component/claims.js';
import { ac, FakeSupplies, lenovo, startRig } from './battery-machine.fixture.js';

test('battery counts what the machine uses while it discharges, and from 0 each time', async (t) => {
  const supplies = new FakeSupplies({ AC: ac, BAT0: lenovo });
  const rig = await startRig(t, supplies);
  await rig.read();
  supplies.write('BAT0', { ...lenovo, POWER_NOW: 7_002_000 });
  assert.equal((await rig.read(10))['hw.host.energy batteries'], 60.02);
  const [first] = rig.next.last('hw.host.energy');
  supplies.write('AC', { ...ac, ONLINE: 1 });
  supplies.write('BAT0', { ...lenovo, STATUS: 'Charging' });
  const charging = await rig.read(10);
  assert.equal(charging['hw.host.energy batteries'], undefined);
  assert.equal(charging['hw.power BAT0'], 5.002);
  assert.ok(rig.next.tables.flatMap(({ ended }) => ended ?? []).some((one) => one === first?.series));
  supplies.write('AC', ac);
  supplies.write('BAT0', lenovo);
  assert.equal((await rig.read(10))['hw.host.energy batteries'], 0);
  assert.equal((await rig.read(10))['hw.host.energy batteries'], 50.02);
  const [second] = rig.next.last('hw.host.energy');
  assert.ok((second?.series.start ?? 0n) > (first?.series.start ?? 0n));
});

test('battery adds up the batteries that discharge, and leaves out those of other devices', async (t) => {
  const supplies = new FakeSupplies({
    BAT0: lenovo,
    BAT1: { ...lenovo, POWER_NOW: 3_000_000 },
    BAT2: { ...lenovo, STATUS: 'Not charging', POWER_NOW: 0 },
    hidpp_battery_0: { TYPE: 'Battery', STATUS: 'Discharging', SCOPE: 'Device', POWER_NOW: 1_000_000 },
  });
  const rig = await startRig(t, supplies);
  assert.equal((await rig.read())['hw.host.power batteries'], 8.002);
});

test('battery has no power of the host while an adapter supplies it, even if a battery discharges', async (t) => {
  const rig = await startRig(t, new FakeSupplies({ AC: { ...ac, ONLINE: 1 }, BAT0: lenovo }));
  const readings = await rig.read();
  assert.equal(readings['hw.host.power batteries'], undefined);
  assert.equal(readings['hw.power_supply.online AC'], 1);
});

test('battery does not know the power of the host while an adapter does not report whether it is online', async (t) => {
  const supplies = new FakeSupplies({ AC: ac, BAT0: lenovo });
  const rig = await startRig(t, supplies);
  supplies.write('AC', { TYPE: 'Mains' });
  const readings = await rig.read(10);
  assert.equal(readings['hw.host.power batteries'], NaN);
  assert.equal(readings['hw.host.energy batteries'], NaN);
});

test('battery counts nothing for the host on mains, whatever its battery does', async (t) => {
  const supplies = new FakeSupplies({ AC: { ...ac, ONLINE: 1 }, BAT0: lenovo });
  const rig = await startRig(t, supplies);
  // A battery also discharges on mains: while it is calibrated, or where the adapter is too weak.
  for (const STATUS of ['Charging', 'Full', 'Not charging', 'Unknown', 'Discharging']) {
    supplies.write('BAT0', { ...lenovo, STATUS });
    await rig.read(10);
  }
  const names = rig.next.tables.flatMap(({ series }) => series).map(({ metric }) => metric.name);
  assert.deepEqual(
    names.filter((name) => /\.host\.|\.meter\./u.test(name)),
    [],
  );
});

test('battery publishes no energy of the host beside another meter of it', async (t) => {
  const claims = { ...freeClaims, claim: (key: string) => (key === 'energy/host' ? 'hwmon' : undefined) };
  const rig = await startRig(t, new FakeSupplies({ BAT0: lenovo }), { claims });
  await rig.read();
  const readings = await rig.read(10);
  assert.equal(readings['hw.meter.energy batteries'], 50.02);
  assert.equal(readings['hw.host.energy batteries'], undefined);
  assert.equal(readings['hw.host.power batteries'], undefined);
});

test('battery claims nothing on a machine with an adapter only', async (t) => {
  const asked: string[] = [];
  const claims = {
    ...freeClaims,
    claim(key: string) {
      asked.push(key);
      return undefined;
    },
  };
  await startRig(t, new FakeSupplies({ AC: ac }), { claims });
  assert.deepEqual(asked, []);
});
