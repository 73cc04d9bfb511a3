import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { createFolder } from '../testing/temporary-folder.fixture.js';
import { describeDiagnosis } from './doctor.js';

const main = fileURLToPath(new URL('main.js', import.meta.url));

function doctor(...args: readonly string[]) {
  const { status, stdout, stderr } = spawnSync(process.execPath, [main, 'doctor', ...args]);
  return { status, stdout: stdout.toString(), stderr: stderr.toString() };
}

test('doctor reports every built-in receiver, and exits with 1, unless energy can be measured', () => {
  const { status, stdout, stderr } = doctor('--json');
  const { energy, receivers } = JSON.parse(stdout) as { energy: string; receivers: { name: string }[] };
  const names = new Set(receivers.map(({ name }) => name));
  for (const name of ['estimate', 'host', 'process', 'rapl']) assert.ok(names.has(name), name);
  assert.equal(status, energy === 'measured' ? 0 : 1);
  assert.equal(stderr, '');
});

test('doctor asks the receivers of a configuration, with its settings', () => {
  const folder = createFolder();
  const file = join(folder, 'config.yaml');
  const pipeline =
    'service:\n  pipelines:\n    metrics:\n      receivers: [rapl/second]\n      exporters: [debug]\n';
  writeFileSync(file, `receivers:\n  rapl/second:\n    sysfs: ${folder}\nexporters:\n  debug:\n${pipeline}`);
  const { status, stdout } = doctor('-c', file);
  rmSync(folder, { recursive: true });
  assert.equal(status, 1);
  assert.match(stdout, /^Receivers\n {2}missing {2}rapl\/second /m);
  assert.match(stdout, new RegExp(folder));
  assert.match(stdout, /can be neither measured nor estimated/);
});

test('doctor looks at the ports of a configuration', () => {
  const readers = '[{pull: {exporter: {prometheus: {host: "::1", port: 0}}}}]';
  const settings = [
    'exporters.prometheus.endpoint=:0',
    'service.extensions=[]',
    `service.telemetry.metrics.readers=${readers}`,
  ];
  const { stdout } = doctor('--json', ...settings.map((setting) => `--set=${setting}`));
  const { system } = JSON.parse(stdout) as { system: { name: string; found: string }[] };
  const ports = system.filter(({ name }) => name.includes(':'));
  assert.deepEqual(
    ports.map(({ name }) => name),
    [':0', '[::1]:0'],
  );
  assert.equal(ports[0]?.found, 'free, for exporter "prometheus"');
});

test('doctor exits with 2, when the configuration is wrong', () => {
  const { status, stderr } = doctor('--set', 'receivers.rapl.sysfz=/sys');
  assert.equal(status, 2);
  assert.match(stderr, /receivers\.rapl\.sysfz: unknown setting/);
});

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

test('describeDiagnosis breaks what it found between words, to fit a narrow terminal', () => {
  const found = 'perf events of this machine: context switches, migrations and page faults';
  const check = { name: 'perf', state: 'ok', found, remedies: [] } as const;
  const diagnosis = { version: '1', energy: 'none', receivers: [], system: [check] } as const;
  const lines = describeDiagnosis(diagnosis, 60).split('\n');
  assert.ok(
    lines.slice(0, -2).every((line) => line.length <= 60),
    lines.join('\n'),
  );
  assert.ok(describeDiagnosis(diagnosis).includes(found));
});
