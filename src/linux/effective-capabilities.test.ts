import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseEffectiveCapabilities } from './effective-capabilities.js';

test('parseEffectiveCapabilities names the bits that are set', () => {
  const status = 'Name:\tnode\nCapPrm:\t000001ffffffffff\nCapEff:\t000000c000080001\nCapBnd:\t0\n';
  assert.deepEqual(parseEffectiveCapabilities(status), ['CAP_SYS_PTRACE', 'CAP_PERFMON', 'CAP_BPF']);
});

test('parseEffectiveCapabilities gives none, when none are set or the file does not say', () => {
  assert.deepEqual(parseEffectiveCapabilities('CapEff:\t0000000000000000\n'), []);
  assert.deepEqual(parseEffectiveCapabilities('Name:\tnode\n'), []);
});
