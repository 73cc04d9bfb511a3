import assert from 'node:assert/strict';
import { test } from 'node:test';
import { describeGrant, findMissing, readMissing } from './capabilities.js';

const status = (mask: string): string =>
  `Name:\tnode\nCapPrm:\tffffffffffffffff\nCapEff:\t${mask}\nSeccomp:\t0\n`;

test('findMissing names what the effective set lacks', () => {
  const wanted = ['dac_read_search', 'sys_ptrace'] as const;
  assert.deepEqual(findMissing(status('0000000000000000'), wanted), ['dac_read_search', 'sys_ptrace']);
  assert.deepEqual(findMissing(status('0000000000080000'), wanted), ['dac_read_search']);
  assert.deepEqual(findMissing(status('000001fffeffffff'), wanted), []);
});

test('findMissing names all, when the file says nothing', () => {
  assert.deepEqual(findMissing('', ['sys_ptrace']), ['sys_ptrace']);
});

test('readMissing answers for this process', () => {
  assert.equal(readMissing([]).length, 0);
  assert.ok(readMissing(['sys_ptrace']).length <= 1);
});

test('describeGrant gives a command for a shell and a line for systemd', () => {
  const text = describeGrant(['dac_read_search', 'sys_ptrace']);
  assert.match(text, /^sudo setpriv --reuid=\d+ --regid=\d+ --init-groups /);
  assert.match(
    text,
    /--inh-caps=\+dac_read_search,\+sys_ptrace --ambient-caps=\+dac_read_search,\+sys_ptrace /,
  );
  assert.match(text, /AmbientCapabilities=CAP_DAC_READ_SEARCH CAP_SYS_PTRACE\)$/);
});
