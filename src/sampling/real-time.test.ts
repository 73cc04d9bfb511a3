import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { test } from 'node:test';
import { enterRealTime, leaveRealTime } from '../linux/thread.js';
import { skipFor } from '../testing/needs.fixture.js';
import { createRig } from './sampling-rig.fixture.js';

const refusal = enterRealTime();
leaveRealTime();
const noRealTime = skipFor(refusal !== undefined && `real-time scheduling is refused: ${refusal}`);

test('fast samplers have real-time scheduling, and no other thread has', { skip: noRealTime }, async (t) => {
  const { threadLog, sampling, request } = createRig(t);
  const slow = await sampling.start({ ...request, periodNs: 4e6 });
  assert.equal(countRealTimeThreads(), 0);
  const fast = await sampling.start({ ...request, periodNs: 3e6 });
  assert.equal(countRealTimeThreads(), 1);
  await fast.stop();
  assert.equal(countRealTimeThreads(), 0);
  await slow.stop();
  assert.deepEqual(threadLog.lines, []);
});

test(
  'a denied request for real-time scheduling is logged once',
  { skip: refusal === undefined && 'it is permitted here' },
  async (t) => {
    const { threadLog, sampling, request } = createRig(t);
    await sampling.start(request);
    await sampling.start({ ...request, ownThread: true });
    await sampling.shutdown();
    assert.equal(threadLog.lines.length, 1);
    assert.match(
      threadLog.lines[0],
      /^info: Cannot use real-time scheduling .* expected CAP_SYS_NICE or an RLIMIT_RTPRIO of 1, found EPERM/,
    );
  },
);

/** Field 41 of `stat` is the scheduling policy; 1 is SCHED_FIFO. */
function countRealTimeThreads(): number {
  const stats = readdirSync('/proc/self/task').map((task) =>
    readFileSync(`/proc/self/task/${task}/stat`, 'utf8'),
  );
  return stats.filter((stat) => stat.slice(stat.lastIndexOf(')') + 2).split(' ')[38] === '1').length;
}
