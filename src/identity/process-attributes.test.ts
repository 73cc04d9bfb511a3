import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fc } from '../testing/fixed-seed.fixture.js';
import { describeProcess, recallProcess } from './process-attributes.js';

const anyText = fc.option(fc.string(), { nil: undefined });

test('recallProcess gives what the attributes of a process were made from', () => {
  const anyProcess = fc.record(
    {
      pid: fc.nat(),
      // Attributes have milliseconds.
      bornNs: fc.nat().map((ms) => BigInt(ms) * 1_000_000n),
      parentPid: fc.nat(),
      isKernelThread: fc.constant(false),
      name: fc.string(),
      path: anyText,
      threadName: anyText,
      owner: anyText,
      cgroup: fc.constantFrom(undefined, '', '0::/', '0::/system.slice/ssh.service'),
      commandLine: anyText,
    },
    { noNullPrototype: true },
  );
  fc.assert(
    fc.property(anyProcess, fc.boolean(), (process, hasService) => {
      const service = { 'service.name': 'web', 'service.namespace': 'shop' };
      const attributes = describeProcess({ ...process, service: hasService ? service : undefined });
      assert.deepEqual(recallProcess(attributes), process);
    }),
  );
});
