import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { test } from 'node:test';
import { createCertificate, noOpenssl } from '../../src/http/certificate.fixture.js';
import { serve } from '../../src/http/device.fixture.js';
import { startReceiver } from '../../src/scraping/running-receiver.fixture.js';
import { until } from '../../src/testing/until.js';
import { factory } from './factory.js';
import { createModern, createOld, FakeRedfish } from './fake-redfish.fixture.js';
import { createPassword } from './redfish-rig.fixture.js';

test('redfish opens a session, again when it expired, and closes it', async (t) => {
  const settings = { credentials: { username: 'root', password_file: createPassword('s3cret') } };
  const bmc = new FakeRedfish(createModern());
  bmc.password = 's3cret';
  const endpoint = await serve(t, bmc.answer);
  const own = { collection_interval: '1h', endpoints: [{ endpoint }], ...settings };
  const { receiver, collector, log } = await startReceiver(t, factory, own);
  await receiver.flush?.();
  assert.equal(bmc.logins, 1);
  bmc.tokens.clear();
  const before = collector.tables.length;
  await receiver.flush?.();
  assert.deepEqual([bmc.logins, collector.tables.length > before], [2, true]);
  await receiver.shutdown();
  assert.equal(bmc.tokens.size, 0, 'the session was closed');
  assert.ok(!log.lines.join().includes('s3cret'));
});

test('redfish does not send a refused password again, so that the user is not locked out', async (t) => {
  const file = createPassword('wrong');
  const bmc = new FakeRedfish(createModern());
  bmc.password = 'right';
  const endpoint = await serve(t, bmc.answer);
  const credentials = { username: 'root', password_file: file };
  const own = { collection_interval: '1s', endpoints: [{ endpoint }], credentials };
  const { log, collector } = await startReceiver(t, factory, own);
  await until(() => bmc.count('GET /redfish/v1/') >= 2);
  assert.equal(bmc.logins, 1);
  assert.match(log.lines.join('\n'), /expected a session, found HTTP 401; set credentials.username/);
  writeFileSync(file, 'right, now\n');
  bmc.password = 'right, now';
  await until(() => collector.tables.length > 0);
  assert.equal(bmc.logins, 2);
});

test('redfish sends the password with every request where the BMC has no sessions, or the settings say so', async (t) => {
  for (const auth of ['session', 'basic']) {
    const bmc = new FakeRedfish(createModern());
    bmc.password = 's3cret';
    bmc.hasSessions = false;
    const endpoint = await serve(t, bmc.answer);
    const credentials = { username: 'root', password_file: createPassword('s3cret') };
    const own = { collection_interval: '1h', endpoints: [{ endpoint }], auth, credentials };
    const { receiver, collector } = await startReceiver(t, factory, own);
    await receiver.flush?.();
    assert.ok(collector.last('hw.power').length > 0);
    assert.equal(bmc.logins, auth === 'basic' ? 0 : 1);
  }
});

test('redfish verifies certificates, and warns where it does not', { skip: noOpenssl }, async (t) => {
  const certificate = createCertificate();
  const bmc = new FakeRedfish(createOld({ PowerControl: [{ PowerConsumedWatts: 100 }] }));
  const endpoint = await serve(t, bmc.answer, certificate);
  const start = async (tls: Record<string, unknown>) => {
    const own = { collection_interval: '1h', endpoints: [{ endpoint }], tls };
    const { receiver, collector, log } = await startReceiver(t, factory, own);
    await receiver.flush?.();
    return { watts: collector.last('hw.power').map(({ value }) => value), log: log.lines.join('\n') };
  };
  const untrusted = await start({});
  assert.deepEqual(untrusted.watts, []);
  assert.match(untrusted.log, /self-signed certificate/);
  assert.deepEqual((await start({ ca_file: certificate.certFile })).watts, [100]);
  const trusting = await start({ insecure_skip_verify: true });
  assert.deepEqual(trusting.watts, [100]);
  assert.match(trusting.log, /warn: .*insecure_skip_verify/);
});
