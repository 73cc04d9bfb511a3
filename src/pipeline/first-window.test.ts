import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createFakeContext, createLogCollector } from '../component/fakes.js';
import { FirstWindow } from './first-window.js';

const { clock } = createFakeContext();

function createReceivers(flush: (name: string) => Promise<void>) {
  const receiverOf = (name: string, readsUsage: boolean, readsEnergy: boolean) => ({
    name,
    readsUsage,
    readsEnergy,
    component: { start: () => {}, shutdown: () => {}, flush: () => flush(name) },
  });
  return [
    receiverOf('meter', false, true),
    receiverOf('cgroups', false, false),
    receiverOf('processes', true, false),
    receiverOf('simulator', true, true),
  ];
}

test('FirstWindow reads meters before the usage and after it, one stage after the other', async () => {
  const events: string[] = [];
  const receivers = createReceivers(async (name) => {
    events.push(`read ${name}`);
    await Promise.resolve();
    events.push(`done ${name}`);
  });
  const log = createLogCollector();
  await new FirstWindow(receivers, log).end(clock);
  assert.deepEqual(
    events.filter((event) => event.startsWith('read')).map((event) => event.slice(5)),
    ['meter', 'cgroups', 'processes', 'simulator', 'meter'],
  );
  assert.ok(events.indexOf('done cgroups') < events.indexOf('read processes'));
  assert.ok(events.indexOf('done simulator') < events.lastIndexOf('read meter'));
  assert.deepEqual(log.lines, []);
});

test('FirstWindow makes no further readings when it is aborted', async () => {
  const read: string[] = [];
  const log = createLogCollector();
  const first: FirstWindow = new FirstWindow(
    createReceivers((name) => {
      read.push(name);
      if (name === 'processes') first.abort();
      return Promise.resolve();
    }),
    log,
  );
  await first.end(clock);
  assert.deepEqual(read, ['meter', 'cgroups', 'processes', 'simulator']);
  const second = new FirstWindow(
    createReceivers(() => assert.fail('it is aborted')),
    log,
  );
  const ended = second.end(clock);
  second.abort();
  await ended;
  assert.deepEqual(log.lines, []);
});

test('FirstWindow logs a warning when a receiver cannot be read again', async () => {
  const log = createLogCollector();
  const receivers = createReceivers(() => Promise.reject(new Error('no luck')));
  await new FirstWindow(receivers, log).end(clock);
  assert.deepEqual(log.lines, ['warn: Cannot take the second readings: no luck']);
});
