import assert from 'node:assert/strict';
import { test } from 'node:test';
import { describeDiagnosis } from './text.js';

test('describeDiagnosis aligns what was found and keeps commands whole', () => {
  const command = `sudo ${'x'.repeat(120)} y`;
  const text = describeDiagnosis({
    version: '1.2.3',
    energy: 'estimated',
    receivers: [
      { name: 'estimate', state: 'ok', found: 'two CPUs', remedies: [], energy: 'estimated' },
      {
        name: 'rapl',
        state: 'missing',
        found: `no counters ${'word '.repeat(20)}end`,
        remedies: [{ missing: 'the driver', command }],
        energy: 'none',
      },
    ],
    system: [
      { name: 'node', state: 'note', found: 'v20; short', remedies: [] },
      { name: 'machine', state: 'ok', found: `one part; ${'word '.repeat(20)}end; last`, remedies: [] },
    ],
  });
  assert.equal(
    text,
    `joulemetry 1.2.3

Receivers
  ok       estimate  two CPUs
  missing  rapl      no counters word word word word word word word word word word word word word word word
                     word word word word word end
                     - the driver:
                         ${command}

System
  note     node      v20; short
  ok       machine   one part;
                     word word word word word word word word word word word word word word word word word word
                     word word end;
                     last

Energy cannot be measured on this machine, only estimated from CPU usage.
`,
  );
});
