import assert from 'node:assert/strict';
import { mkdirSync, symlinkSync } from 'node:fs';
import { test } from 'node:test';
import { createEnding } from '../../src/model/table.js';
import { createFolder } from '../../src/testing/temporary-folder.fixture.js';
import { create, createSeries, unixNs } from './estimation.fixture.js';

const gigabyte = 1024 ** 3;
const memory = createSeries('system.memory.limit');
const drive = createSeries('system.disk.io_time', { 'system.device': 'nvme0n1' });

function portOf(name: string) {
  return createSeries('system.network.io', {
    'network.interface.name': name,
    'network.io.direction': 'receive',
  });
}

/** A machine with 2 CPUs, 23 GB of memory and a drive, by the figures of a whole server. */
function createServer() {
  const estimation = create();
  estimation.cpus(0, 2);
  return estimation;
}

test('estimation gives a whole server at least what its parts use, in each window', () => {
  const estimation = createServer();
  const watts = { memory: 23 * 0.392, drive: 6 };
  for (let atS = 0; atS <= 10; atS += 1) {
    estimation.row([memory, drive], atS, 23 * gigabyte, atS);
    estimation.busy(atS, atS);
  }
  const joules = estimation.joules();
  const host = joules['hw.host.energy host-estimate'] ?? NaN;
  // 0.74 W for each CPU are less than that; above idle, half of 2 x (3.5 - 0.74) W.
  const parts = 10 * (watts.memory + watts.drive);
  assert.ok(Math.abs(host - (parts + 10 * (3.5 - 0.74))) < 1e-9, `${host} J`);
  assert.deepEqual(
    [joules['hw.meter.energy memory-estimate'], joules['hw.meter.energy nvme0n1-estimate']],
    [10 * watts.memory, 10 * watts.drive],
  );
  const floors = estimation.out.last('energy.floor.power');
  assert.deepEqual(
    floors.map(({ value }) => value),
    [watts.memory + watts.drive],
  );
});

test('estimation leaves a whole server as its table has it, where that is more than its parts', () => {
  const estimation = create({ cpu: { processor: 'ivy_bridge' } });
  estimation.cpus(0, 8);
  for (const atS of [0, 1]) {
    estimation.row([memory], atS, 23 * gigabyte);
    estimation.busy(atS, 0);
  }
  assert.equal(estimation.joules()['hw.host.energy host-estimate'], 8 * 3.04);
});

test('estimation takes a part that is gone out of the whole', () => {
  const estimation = createServer();
  for (const atS of [0, 1]) {
    estimation.row([drive], atS, 0);
    estimation.busy(atS, 0);
  }
  assert.equal(estimation.joules()['hw.host.energy host-estimate'], 6);
  estimation.consume(createEnding([drive], unixNs(1)));
  estimation.busy(2, 0);
  assert.ok(Math.abs((estimation.joules()['hw.host.energy host-estimate'] ?? NaN) - (6 + 1.48)) < 1e-9);
});

/** A sysfs with interfaces, each with the bus of its device, if it has one. */
function createSysfs(ports: Readonly<Record<string, string | undefined>>): string {
  const sysfs = createFolder();
  for (const [name, bus] of Object.entries(ports)) {
    const device = `${sysfs}/devices/${name}`;
    mkdirSync(device, { recursive: true });
    mkdirSync(`${sysfs}/class/net/${name}`, { recursive: true });
    if (bus === undefined) continue;
    mkdirSync(`${sysfs}/bus/${bus}`, { recursive: true });
    symlinkSync(`${sysfs}/bus/${bus}`, `${device}/subsystem`);
    symlinkSync(device, `${sysfs}/class/net/${name}/device`);
  }
  return sysfs;
}

test('estimation estimates ports that have hardware of their own, and those that sysfs does not know', () => {
  const sysfs = createSysfs({ eth0: undefined, eth1: 'virtio', eth2: 'pci', eth3: 'usb', eth4: 'vmbus' });
  const estimation = create({ sysfs, cpu: { idle_power: 1, max_power: 2 } });
  const series = ['eth0', 'eth1', 'eth2', 'eth3', 'eth4', 'eth5'].map(portOf);
  for (const atS of [0, 1]) estimation.row(series, atS, ...series.map(() => 0));
  assert.deepEqual(estimation.joules(), {
    'hw.energy eth2-estimate': 3.47,
    'hw.energy eth3-estimate': 3.47,
    'hw.energy eth5-estimate': 3.47,
  });
});

test('estimation does not look up the ports of another machine in sysfs', () => {
  const sysfs = createSysfs({ eth0: undefined });
  const estimation = create({ sysfs, cpu: { idle_power: 1, max_power: 2 } });
  const other = { ...portOf('eth0'), resource: { attributes: { 'host.name': 'other' } } };
  for (const atS of [0, 1]) estimation.row([other], atS, 0);
  assert.deepEqual(estimation.joules(), { 'hw.energy eth0-estimate': 3.47 });
});
