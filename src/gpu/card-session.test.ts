import assert from 'node:assert/strict';
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { FakeDrm } from '../linux/drm-clients.fixture.js';
import { bindFile, CardReader } from './card-reader.js';
import { CardSession, type CardKind } from './card-session.js';
import { FakeCards } from './fake-cards.fixture.js';

const kind: CardKind = {
  vendor: 'Test',
  drivers: ['one', 'two'],
  open: (card) =>
    new CardReader(
      card,
      {
        id: card.address,
        name: card.product,
        vendor: 'Test',
        domain: undefined,
        parent: undefined,
        interfaces: { energy: 'a', power: 'b' },
        tasks: [],
        hasTaskUtilization: false,
        serialNumber: undefined,
        firmwareVersion: undefined,
        driverVersion: '1',
        maxWatts: NaN,
        temperatureLimits: [],
      },
      bindFile('memory.usage', `${card.folder}/used`),
    ),
};

function start(cards: FakeCards, { procfs } = new FakeDrm()) {
  let nowMs = 0;
  const options = { sysfs: cards.sysfs, procfs, hasProcesses: true };
  const session = new CardSession(kind, options, () => nowMs);
  return { session, readLater: () => ((nowMs += 10_000), session.read()) };
}

const [first, second] = ['0000:03:00.0', '0000:44:00.0'];

test('CardSession follows cards that are added, removed or moved, by PCI address', (t) => {
  const cards = new FakeCards();
  cards.add(1, { address: first, driver: 'one' }, { device: '0x1', used: 5 });
  cards.add(0, { address: '0000:05:00.0', driver: 'other' }, { used: 5 });
  const { session, readLater } = start(cards);
  t.after(() => session.close());
  assert.deepEqual(
    session.open().devices?.map(({ id }) => id),
    [first],
  );
  cards.add(2, { address: second, driver: 'two' }, { device: '0x2', used: 7 });
  assert.equal(session.read().devices, undefined, 'it is looked for every 10 s');
  const { devices, rows, notes } = readLater();
  assert.deepEqual(
    devices?.map(({ id }) => id),
    [first, second],
  );
  assert.deepEqual(
    rows.map(({ id, values }) => [id, values?.[0]]),
    [
      [first, 5],
      [second, 7],
    ],
  );
  assert.deepEqual(notes, [{ level: 'info', text: `Reading "0x2" (${second})` }]);
  rmSync(join(cards.sysfs, 'class/drm/card1'), { recursive: true });
  const later = readLater();
  assert.deepEqual(
    later.devices?.map(({ id }) => id),
    [second],
  );
});

test('CardSession reports a card of which nothing can be read as lost', (t) => {
  const cards = new FakeCards();
  cards.add(1, { address: first, driver: 'one' }, { used: 5 });
  const { session } = start(cards);
  t.after(() => session.close());
  session.open();
  cards.write(1, { used: 'x' });
  const { rows, problems } = session.read();
  assert.equal(rows[0]?.values, undefined);
  assert.match(problems[0] ?? '', /^Cannot parse .*used: expected a whole number, found "x"$/u);
  cards.write(1, { used: 6 });
  assert.deepEqual([...(session.read().rows[0]?.values ?? [])], [6]);
});

test('CardSession reports that processes cannot be read, and reads the card', (t) => {
  const cards = new FakeCards();
  cards.add(1, { address: first, driver: 'one' }, { used: 5 });
  const drm = new FakeDrm();
  const { session } = start(cards, drm);
  t.after(() => session.close());
  session.open();
  assert.deepEqual(session.read().rows[0]?.memory, []);
  rmSync(drm.procfs, { recursive: true });
  const { rows, problems } = session.read();
  assert.deepEqual([rows[0]?.values?.[0], rows[0]?.memory, rows[0]?.usage], [5, undefined, undefined]);
  assert.equal(problems.length, 1);
  assert.match(problems[0] ?? '', /^Cannot read the processes that use GPUs: .*ENOENT/u);
});

test('CardSession reads no suspended card, and opens one only once it is active', (t) => {
  const cards = new FakeCards();
  cards.add(1, { address: first, driver: 'one' }, { used: 5, 'power/runtime_status': 'suspended' });
  const { session, readLater } = start(cards);
  t.after(() => session.close());
  assert.deepEqual(session.open().devices, []);
  assert.deepEqual(readLater().rows, []);
  cards.write(1, { 'power/runtime_status': 'active' });
  const { devices, rows } = readLater();
  assert.deepEqual([devices?.length, rows[0]?.values?.[0]], [1, 5]);
  cards.write(1, { 'power/runtime_status': 'suspended' });
  assert.deepEqual([...(readLater().rows[0]?.values ?? [])], [NaN]);
});

test('CardSession reports where it searched when there is no card', () => {
  const cards = new FakeCards();
  assert.throws(() => start(cards).session.open(), {
    message: `Cannot find a GPU of Test: expected a card of one or two in ${cards.sysfs}/class/drm, found none`,
  });
});
