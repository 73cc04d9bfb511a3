import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { parseSettings } from '../../src/config/settings.js';
import { startReceiver } from '../../src/scraping/running-receiver.fixture.js';
import { createFolder } from '../../src/testing/temporary-folder.fixture.js';
import { until } from '../../src/testing/until.js';
import { factory } from './factory.js';
import { noSnmp } from './snmp-agent.fixture.js';
import { loadSnmp, SnmpSession } from './snmp-session.js';

const path = `${process.env['PATH'] ?? ''}:/usr/sbin`;
const noSnmpd: string | false =
  noSnmp ||
  (spawnSync('snmpd', ['-v'], { env: { PATH: path } }).status === 0 ? false : 'snmpd is not installed');

const energy = '1.3.6.1.4.1.99999.1.1';

/** Starts the daemon of Net-SNMP with a counter, a power and version 3 users. @returns its address */
async function startSnmpd(t: TestContext): Promise<string> {
  const folder = createFolder();
  const config = join(folder, 'snmpd.conf');
  const lines = [
    'rocommunity secret 127.0.0.1',
    'createUser alice SHA-256 "authentic-1" AES "private-1"',
    'createUser bob MD5 "authentic-2"',
    'rouser alice authpriv',
    'rouser bob auth',
    `override ${energy}.7 counter 4294967290`,
    'override 1.3.6.1.4.1.99999.1.2.7 uinteger 205',
  ];
  writeFileSync(config, `${lines.join('\n')}\n`);
  const endpoint = await findEndpoint();
  const args = ['-f', '-Lo', '-C', '-c', config, '-p', join(folder, 'pid'), '-I', '-smux', `udp:${endpoint}`];
  const env = { PATH: path, SNMP_PERSISTENT_DIR: folder, MIBS: '' };
  const daemon = spawn('snmpd', args, { env, stdio: 'ignore' });
  t.after(async () => {
    daemon.kill('SIGKILL');
    if (daemon.exitCode === null && daemon.signalCode === null) await once(daemon, 'exit');
  });
  await until(async () => {
    assert.equal(daemon.exitCode, null, 'snmpd runs');
    return answers(endpoint, { version: '2c', community: 'secret' });
  });
  return endpoint;
}

/** A free UDP port that only this test uses. */
async function findEndpoint(): Promise<string> {
  const socket = createSocket('udp4').bind(0, '127.0.0.1');
  await once(socket, 'listening');
  const { port } = socket.address();
  socket.close();
  return `127.0.0.1:${port}`;
}

async function answers(endpoint: string, user: Readonly<Record<string, string>>): Promise<boolean> {
  const config = parseSettings(factory.schema, { endpoints: [{ endpoint, ...user }], timeout: '200ms' });
  const [first] = config.endpoints;
  assert.ok(first);
  const session = new SnmpSession(await loadSnmp(), first, config);
  try {
    const oid = '1.3.6.1.2.1.1.3.0';
    return (await session.get([oid], new AbortController().signal)).has(oid);
  } catch {
    return false;
  } finally {
    session.close();
  }
}

const users: readonly Readonly<Record<string, string>>[] = [
  { version: '1', community: 'secret' },
  { version: '2c', community: 'secret' },
  {
    version: '3',
    user: 'alice',
    auth_protocol: 'sha256',
    auth_password: 'authentic-1',
    privacy_protocol: 'aes',
    privacy_password: 'private-1',
  },
  { version: '3', user: 'bob', auth_protocol: 'md5', auth_password: 'authentic-2' },
];

test('snmp reads the daemon of Net-SNMP with every version', { skip: noSnmpd }, async (t) => {
  const endpoint = await startSnmpd(t);
  const objects = [
    { oid: energy, quantity: 'energy', scale: 3600 },
    { oid: '1.3.6.1.4.1.99999.1.2', quantity: 'power' },
  ];
  for (const user of users) {
    const endpoints = [{ endpoint, preset: 'none', ...user }];
    const { collector, last, log } = await startReceiver(t, factory, { endpoints, objects });
    await until(() => collector.tables.length > 0);
    assert.deepEqual(last('hw.power'), { '127.0.0.1/outlet:7': 205 });
    assert.deepEqual(last('hw.meter.energy'), { '127.0.0.1/outlet:7': 0 });
    assert.deepEqual(log.lines, []);
  }
});

test("snmp reports the daemon's error for an unknown user", { skip: noSnmpd }, async (t) => {
  const endpoint = await startSnmpd(t);
  const wrong = [
    { version: '3', user: 'carol', auth_protocol: 'sha256', auth_password: 'authentic-1' },
    { version: '3', user: 'bob', auth_protocol: 'md5', auth_password: 'authentic-9' },
  ];
  const reasons: (string | undefined)[] = [];
  for (const user of wrong) {
    const { log } = await startReceiver(t, factory, { endpoints: [{ endpoint, ...user }] });
    await until(() => log.lines.length > 0);
    reasons.push(log.lines[0]?.replace(/^.*: /u, ''));
  }
  assert.deepEqual(reasons, ['Unknown User Name', 'Wrong Digest (incorrect password, community or key)']);
});
