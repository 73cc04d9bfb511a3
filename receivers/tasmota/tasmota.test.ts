import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import type { RequestListener } from 'node:http';
import { join } from 'node:path';
import { test } from 'node:test';
import { serve } from '../../src/http/device.fixture.js';
import { startReceiver } from '../../src/scraping/running-receiver.fixture.js';
import { createFolder } from '../../src/testing/temporary-folder.fixture.js';
import { until } from '../../src/testing/until.js';
import { factory } from './factory.js';

const identity = '{"Status":{"DeviceName":"desk"},"StatusNET":{"Mac":"24:62:AB"}}';
const often = { collection_interval: '100ms' };

/** A plug that answers commands. */
class Plug {
  total = 3.705;
  password = '';
  isOld = false;
  readonly commands: string[] = [];

  answer: RequestListener = ({ url = '' }, response) => {
    const { pathname, searchParams: query } = new URL(url, 'http://plug');
    this.commands.push(query.get('cmnd') ?? '');
    const isUser = query.get('user') === 'admin' && query.get('password') === this.password;
    if (this.password !== '' && !isUser) {
      if (!this.isOld) response.writeHead(401);
      response.end('{"WARNING":"Need user=<username>&password=<password>"}');
    } else response.end(pathname === '/cm' ? this.find(query.get('cmnd')) : '{}');
  };

  find(command: string | null): string {
    if (command === 'Status 0') return identity;
    if (command !== (this.isOld ? 'Status 8' : 'Status 10')) return '{"Status":{}}';
    return `{"StatusSNS":{"ENERGY":{"Total":${this.total.toFixed(3)},"Power":5,"Voltage":233}}}`;
  }
}

test('tasmota counts the energy of a plug, and restarts when its counter was reset', async (t) => {
  const plug = new Plug();
  const endpoint = await serve(t, plug.answer);
  const { last, collector } = await startReceiver(t, factory, { ...often, endpoints: [{ endpoint }] });
  await until(() => collector.tables.length > 0);
  plug.total = 3.71;
  await until(() => last('hw.meter.energy')['tasmota-2462ab'] === 18_000);
  assert.deepEqual(last('hw.meter.resolution'), { 'tasmota-2462ab': 3600 });
  plug.total = 0;
  await until(() => last('hw.meter.energy')['tasmota-2462ab'] === 0);
  assert.equal(collector.last('hw.meter.energy').length, 2);
});

test('tasmota sends user and password in the query, as devices want them', async (t) => {
  const plug = new Plug();
  plug.password = 'a b&+c%';
  const file = join(createFolder(), 'password');
  writeFileSync(file, `${plug.password}\n`);
  const endpoint = await serve(t, plug.answer);
  const credentials = { username: 'admin', password_file: file };
  const { collector } = await startReceiver(t, factory, { endpoints: [{ endpoint }], credentials });
  await until(() => collector.tables.length > 0);
});

test('tasmota names the setting that is missing, whether a device refuses with 401 or 200', async (t) => {
  for (const isOld of [false, true]) {
    const plug = Object.assign(new Plug(), { password: 'secret', isOld });
    const endpoint = await serve(t, plug.answer);
    const { log } = await startReceiver(t, factory, { endpoints: [{ endpoint }] });
    await until(() => log.lines.length > 0);
    assert.match(
      log.lines[0] ?? '',
      /; set credentials\.username \(admin\) and credentials\.password_file to/u,
    );
    assert.ok(!log.lines[0]?.includes('cmnd'));
  }
});

test('tasmota asks old firmware for what it knows', async (t) => {
  const plug = Object.assign(new Plug(), { isOld: true });
  const endpoint = await serve(t, plug.answer);
  const { collector } = await startReceiver(t, factory, { endpoints: [{ endpoint }] });
  await until(() => collector.tables.length > 0);
  assert.deepEqual(plug.commands.slice(0, 3), ['Status 0', 'Status 10', 'Status 8']);
});

test('tasmota reads on when other devices have no meter, hang or answer nonsense', async (t) => {
  const plug = new Plug();
  const answers: readonly RequestListener[] = [
    plug.answer,
    () => undefined,
    (_, response) => void response.end('{"StatusSNS":'),
    ({ url = '' }, response) => {
      response.end(url.includes('10') ? '{"StatusSNS":{"Time":"1970-01-01T00:00:00"}}' : identity);
    },
  ];
  const endpoints = await Promise.all(answers.map(async (answer) => ({ endpoint: await serve(t, answer) })));
  const { log, last } = await startReceiver(t, factory, { ...often, endpoints, timeout: '300ms' });
  await until(() => log.lines.length === 3);
  plug.total += 1;
  await until(() => last('hw.meter.energy')['tasmota-2462ab'] === 3_600_000);
  assert.deepEqual(log.lines.map((line) => line.replace(/^error: Cannot read http:\S+: /u, '')).toSorted(), [
    'expected a JSON object, found a syntax error at column 14',
    'expected a device that measures power or energy, found one that does not',
    'expected an answer within 300 ms, found none',
  ]);
});
