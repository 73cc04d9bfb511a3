import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseFault } from './fault.js';

const domains = ['package-0', 'dram-0'];

test('parseFault takes a kind and a time, and where they are said a duration and a domain or CPU', () => {
  assert.deepEqual(parseFault('wrap@1m', domains, 4), { kind: 'wrap', atUs: 60e6, forUs: 1e6 });
  assert.deepEqual(parseFault('torn@1.5s+200ms:dram-0', domains, 4), {
    kind: 'torn',
    atUs: 1_500_000,
    forUs: 200_000,
    domain: 'dram-0',
  });
  assert.deepEqual(parseFault('offline@0+1s:3', domains, 4), {
    kind: 'offline',
    atUs: 0,
    forUs: 1e6,
    cpu: 3,
  });
});

test('parseFault reports what is wrong', () => {
  const wrong = {
    torn: 'expected KIND@AT[+FOR][:DOMAIN], say torn@10s+500ms:package-0',
    'tron@1s':
      'expected one of the faults wrap, reset, torn, failed, empty, slow, dead, hotplug, suspend, offline, found "tron"; did you mean "torn"?',
    'torn@soon': 'expected durations such as 10s or 500ms',
    'torn@1s:gpu-9': 'expected one of the domains package-0, dram-0, found "gpu-9"',
    'offline@1s:package-0': 'expected the number of a CPU, 0 to 3, found "package-0"',
    'offline@1s:4': 'expected the number of a CPU, 0 to 3, found "4"',
  };
  for (const [text, why] of Object.entries(wrong)) {
    assert.throws(() => parseFault(text, domains, 4), {
      name: 'UsageError',
      message: `Cannot use --fault ${text}: ${why}`,
    });
  }
});
