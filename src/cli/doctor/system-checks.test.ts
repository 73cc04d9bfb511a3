import assert from 'node:assert/strict';
import { test } from 'node:test';
import { checkBpf, checkPerf, checkRealTime, checkSystem } from './system-checks.js';

const statesOf = (capabilities: readonly string[]) =>
  [-1, 0, 1, 2, 3].map((level) => checkPerf(level, capabilities).state);

test('checkPerf reports what each level allows, and how to allow more', () => {
  assert.deepEqual(statesOf([]), ['ok', 'ok', 'note', 'note', 'note']);
  assert.deepEqual(statesOf(['CAP_PERFMON']), ['ok', 'ok', 'ok', 'ok', 'ok']);
  assert.equal(checkPerf(2, []).found, 'permitted for own processes only; kernel.perf_event_paranoid is 2');
  assert.equal(checkPerf(3, []).found, 'not permitted; kernel.perf_event_paranoid is 3');
  assert.equal(checkPerf(2, []).remedies[0]?.command, 'sudo sysctl kernel.perf_event_paranoid=0');
  assert.equal(checkPerf(undefined, ['CAP_PERFMON']).state, 'missing');
});

test('checkRealTime knows both ways to SCHED_FIFO, and says how to get there', () => {
  assert.equal(checkRealTime(0, ['CAP_SYS_NICE']).state, 'ok');
  assert.equal(checkRealTime(10, []).found, 'SCHED_FIFO permitted up to priority 10');
  assert.equal(checkRealTime(0, []).state, 'note');
  assert.equal(checkRealTime(0, []).remedies.length, 2);
});

test('checkBpf says which capabilities are missing, without trying', async () => {
  const { state, found, remedies } = await checkBpf(['CAP_BPF', 'CAP_PERFMON']);
  assert.deepEqual([state, found], ['note', 'not permitted']);
  assert.match(remedies[0]?.missing ?? '', /CAP_BPF and CAP_PERFMON|CAP_BPF, CAP_PERFMON/u);
});

test('checkSystem looks at this machine and throws nowhere', async () => {
  const checks = await checkSystem();
  const names = ['node', 'machine', 'user', 'perf events', 'eBPF', 'real time', 'cgroups'];
  assert.deepEqual(
    checks.map(({ name }) => name),
    names,
  );
  assert.match(checks[0]?.found ?? '', /^v\d+\.\d+\.\d+ at \//);
});
