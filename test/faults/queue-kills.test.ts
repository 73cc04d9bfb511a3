import assert from 'node:assert/strict';
import { test } from 'node:test';
import { killAtRandom } from '../../extensions/file_storage/kill.fixture.js';
import { recordCell } from './cells.js';

const kills = 200;

test(`a sending queue with a storage loses no accepted request, when it is killed ${kills} times at random instants`, async (t) => {
  const { accepted, received, doubled, lost, left } = await killAtRandom(t, kills);
  const fault = `Queue with \`file_storage\` killed ${kills} times at random instants (requests)`;
  recordCell({ fault, exporter: 'sending_queue', sent: accepted, received, doubled, lost: lost.length });
  assert.ok(accepted > kills, `${accepted} accepted`);
  assert.deepEqual([lost, left], [[], []]);
  // One request is in flight when the program is killed; only that one may be sent again.
  assert.ok(doubled <= kills, `${doubled} were sent again`);
});
