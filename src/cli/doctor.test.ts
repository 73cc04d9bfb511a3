import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';

const main = fileURLToPath(new URL('main.js', import.meta.url));

function doctor(...args: readonly string[]) {
  const { status, stdout, stderr } = spawnSync(process.execPath, [main, 'doctor', ...args]);
  return { status, stdout: stdout.toString(), stderr: stderr.toString() };
}

test('doctor tells of every built-in receiver, and exits with 1, unless energy can be measured', () => {
  const { status, stdout, stderr } = doctor('--json');
  const { energy, receivers } = JSON.parse(stdout) as { energy: string; receivers: { name: string }[] };
  const names = new Set(receivers.map(({ name }) => name));
  for (const name of ['estimate', 'host', 'process', 'rapl']) assert.ok(names.has(name), name);
  assert.equal(status, energy === 'measured' ? 0 : 1);
  assert.equal(stderr, '');
});

test('doctor asks the receivers of a configuration, with its settings', () => {
  const folder = mkdtempSync(join(tmpdir(), 'doctor-'));
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
