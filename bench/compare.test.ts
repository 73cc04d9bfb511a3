import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parsePeer } from './compare.js';

test('parsePeer takes a name, a command and how often to scrape', () => {
  assert.deepEqual(parsePeer('Kepler=./kepler --monitor.interval=1s'), {
    name: 'Kepler',
    command: './kepler --monitor.interval=1s',
    scrapeEverySeconds: 1,
  });
  assert.deepEqual(parsePeer('Scaphandre@5=env A=b@c scaphandre prometheus'), {
    name: 'Scaphandre',
    command: 'env A=b@c scaphandre prometheus',
    scrapeEverySeconds: 5,
  });
});

test('parsePeer throws when there is no command, no name or no interval', () => {
  for (const text of ['kepler', 'kepler=', '=kepler', 'kepler@0=kepler', 'kepler@=kepler']) {
    assert.throws(() => parsePeer(text), /expected PEER=COMMAND or PEER@SECONDS=COMMAND/u, text);
  }
});
