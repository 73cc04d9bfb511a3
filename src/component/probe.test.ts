import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createGrant } from './probe.js';

test('createGrant gives a command for a shell and a line for systemd', () => {
  assert.deepEqual(createGrant(['CAP_DAC_READ_SEARCH', 'CAP_SYS_PTRACE'], 'the disk I/O of 3 processes'), [
    {
      missing: 'CAP_DAC_READ_SEARCH and CAP_SYS_PTRACE, for the disk I/O of 3 processes',
      command:
        'sudo setpriv --reuid "$(id -u)" --regid "$(id -g)" --init-groups ' +
        '--inh-caps +dac_read_search,+sys_ptrace --ambient-caps +dac_read_search,+sys_ptrace -- joulemetry',
    },
    {
      missing: 'CAP_DAC_READ_SEARCH and CAP_SYS_PTRACE, for a systemd unit',
      command: 'AmbientCapabilities=CAP_DAC_READ_SEARCH CAP_SYS_PTRACE',
    },
  ]);
});

test('createGrant also grants to an ordinary user what that user already has', () => {
  const capabilities = ['+bpf,+perfmon', '+perfmon'];
  for (const [i, isRoot] of [false, true].entries()) {
    const [{ command }] = createGrant(['CAP_PERFMON'], 'perf events', { isRoot, held: ['CAP_BPF'] });
    const added = capabilities[i] ?? '';
    assert.ok(command.endsWith(` --inh-caps ${added} --ambient-caps ${added} -- joulemetry`), command);
  }
});
