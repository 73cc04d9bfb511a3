import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  copyMachine,
  openScraper,
  valuesOf,
  endedOf,
  ioTimesOf,
  scrapeTwice,
} from './host-machine.fixture.js';

test('NetworkGroup counts exactly, when the counts are beyond 2^53', (t) => {
  const { later } = scrapeTwice(t, ['network']);
  const values = valuesOf(later);
  assert.equal(values['system.network.io eth0 receive'], 1601);
  assert.equal(values['system.network.io eth0 transmit'], 600);
  assert.equal(values['system.network.packet.count eth0 receive'], 7);
  assert.equal(values['system.network.packet.count eth0 transmit'], 6);
  assert.equal(values['system.network.errors eth0 receive'], 0);
  assert.equal(values['system.network.packet.dropped eth0 receive'], 2);
});

test('NetworkGroup begins a new series, when an interface was reset and when one appears', (t) => {
  const { first, later } = scrapeTwice(t, ['network']);
  const values = valuesOf(later);
  assert.equal(values['system.network.io eth1 receive'], 0);
  assert.equal(values['system.network.io wlan0 receive'], 0);
  const ended = endedOf(later);
  assert.equal(ended.length, 8);
  assert.ok(ended.every((name) => name.includes('eth1')));
  const before = first[0]?.series ?? [];
  assert.ok(later[0]?.series.some((series) => before.includes(series)));
});

test('NetworkGroup leaves interfaces out, when they are excluded or not included', (t) => {
  const all = scrapeTwice(t, ['network']).first;
  assert.equal(valuesOf(all)['system.network.io vethab12 receive'], undefined);
  const some = scrapeTwice(t, ['network'], { network: { include: '^(eth|veth)', exclude: '1' } }).first;
  assert.deepEqual(
    Object.keys(valuesOf(some)).filter((name) => name.endsWith('receive')),
    [
      'system.network.io eth0 receive',
      'system.network.packet.count eth0 receive',
      'system.network.errors eth0 receive',
      'system.network.packet.dropped eth0 receive',
    ],
  );
});

test('NetworkGroup takes the name apart, when an old kernel has a colon in it and no space after it', (t) => {
  const values = valuesOf(openScraper(t, copyMachine(t, 'old'), ['network']).scrape(0));
  assert.equal(values['system.network.io eth0:1 receive'], 0);
});

test('DiskGroup gives bytes and seconds, when the milliseconds wrapped at 2^32', (t) => {
  const { later } = scrapeTwice(t, ['disk']);
  const values = valuesOf(later);
  assert.equal(values['system.disk.operations sda read'], 10);
  assert.equal(values['system.disk.operations sda write'], 20);
  assert.equal(values['system.disk.merged sda read'], 1);
  assert.equal(values['system.disk.merged sda write'], 3);
  assert.equal(values['system.disk.io sda read'], 51_200);
  assert.equal(values['system.disk.io sda write'], 204_800);
  assert.equal(values['system.disk.operation_time sda read'], 0.5);
  assert.equal(values['system.disk.operation_time sda write'], 0.5);
  assert.equal(values['system.disk.io_time sda'], 0.25);
});

test('DiskGroup ends the series of a disk, when it is gone or was plugged in anew', (t) => {
  const { later } = scrapeTwice(t, ['disk']);
  const ended = endedOf(later);
  assert.equal(ended.filter((name) => name.includes('sdb')).length, 9);
  assert.equal(ended.filter((name) => name.includes('nvme0n1')).length, 9);
  assert.equal(valuesOf(later)['system.disk.io nvme0n1 read'], 0);
  assert.equal(valuesOf(later)['system.disk.io sdb read'], undefined);
});

test('DiskGroup reads partitions and loop devices, only when asked to', (t) => {
  assert.deepEqual(ioTimesOf(scrapeTwice(t, ['disk']).first), [
    'system.disk.io_time sda',
    'system.disk.io_time sdb',
    'system.disk.io_time nvme0n1',
  ]);
  assert.deepEqual(
    ioTimesOf(scrapeTwice(t, ['disk'], { disk: { partitions: true, exclude: '^nvme' } }).first),
    [
      'system.disk.io_time loop0',
      'system.disk.io_time sda',
      'system.disk.io_time sda1',
      'system.disk.io_time sdb',
    ],
  );
});

test('DiskGroup passes over partitions, when an old kernel has four numbers of them', (t) => {
  const settings = { disk: { partitions: true } };
  const values = valuesOf(openScraper(t, copyMachine(t, 'old'), ['disk'], settings).scrape(0));
  assert.equal(values['system.disk.io_time sda'], 0);
  assert.equal(values['system.disk.io_time sda1'], undefined);
});
