import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { createFolder } from '../testing/temporary-folder.fixture.js';
import { exec, main, parse } from './run-exec.fixture.js';

// The reports of exec, and what it does where one cannot be written.

test('exec writes a report for machines, whose shares add up', () => {
  const folder = createFolder();
  const [json, summary] = [join(folder, 'json'), join(folder, 'summary')];
  assert.deepEqual(exec(['--json', json, '-o', summary, 'sleep', '0.3']), {
    status: 0,
    stdout: '',
    stderr: '',
  });
  const [run] = parse(readFileSync(json, 'utf8')).runs;
  assert.ok(run && run.wall_time_s >= 0.3 && run.wall_time_s < 60, JSON.stringify(run));
  const { machine_energy_j: machine, command_energy_j: command, other_energy_j: others } = run.energy;
  const { idle_energy_j: idle } = run.energy;
  assert.ok(Math.abs(command + idle + others - machine) < 1e-6 || others === 0, JSON.stringify(run.energy));
  assert.ok(machine > 0 && command >= 0 && command < machine, JSON.stringify(run.energy));
  assert.match(readFileSync(summary, 'utf8'), /joulemetry exec: sleep 0.3/);
});

test('exec repeats the command after a warm-up, and ends the series, when a run fails', () => {
  const file = join(createFolder(), 'file');
  const repeat = ['-q', '-r', '3', '--baseline', '20ms', '--json', '-', 'sh', '-c'];
  const { status, stdout } = exec([...repeat, `echo x >> ${file}`]);
  assert.equal(status, 0);
  assert.equal(readFileSync(file, 'utf8'), 'x\n'.repeat(4));
  const { runs, statistics } = parse(stdout);
  assert.equal(runs.length, 3);
  assert.ok((statistics?.['above_baseline_energy']?.['mean_j'] ?? NaN) < 1000);
  const failing = exec([...repeat, `echo x >> ${file}; [ $(wc -l < ${file}) -lt 6 ]`]);
  assert.equal(failing.status, 1);
  assert.equal(parse(failing.stdout).runs.length, 1);
});

test('exec reports why it ends a series, and reports a warm-up that fails as what it is', () => {
  const file = join(createFolder(), 'file');
  const repeat = ['-q', '-r', '4', '--baseline', '0', '--json', '-', 'sh', '-c'];
  const killed = exec([...repeat, `echo x >> ${file}; [ $(wc -l < ${file}) -lt 3 ] || kill -9 $$`]);
  assert.equal(killed.stderr, 'joulemetry: Stopped after 2 of 4 runs: the command was killed by SIGKILL\n');
  const failed = exec([...repeat, 'exit 3']);
  assert.equal(failed.status, 3);
  assert.equal(
    failed.stderr,
    'joulemetry: Stopped after the warm-up run, which is reported: the command ended with exit code 3\n',
  );
  assert.equal(parse(failed.stdout).statistics, null);
  assert.equal(exec(['-q', '-r', '1', '--baseline', '0', 'true']).stderr, '');
});

test('exec exits with 2 and runs nothing, when a report cannot be written', () => {
  const folder = createFolder();
  const [file, json] = [join(folder, 'file'), join(folder, 'json')];
  for (const [target, message] of [
    [['-o', join(folder, 'absent', 'x')], /^Cannot write the report to \/.*\/absent\/x: ENOENT\n$/],
    [['--json', folder], /^Cannot write the report to \/.*: EISDIR\n$/],
    [['--json', json, '-o', json], /^Cannot write two reports to /],
  ] as const) {
    const { status, stderr } = exec([...target, 'touch', file]);
    assert.equal(status, 2, stderr);
    assert.match(stderr, message);
  }
  assert.throws(() => readFileSync(file), /ENOENT/);
});

function redirect(args: readonly string[], streams: string): readonly [number | null, string] {
  const script = ['-c', `exec "$@" ${streams}`, 'sh', process.execPath, main, 'exec', ...args];
  const { status, stderr } = spawnSync('sh', script, { encoding: 'utf8' });
  return [status, stderr];
}

test('exec exits with 125, when the command succeeds and a report cannot be written after it', () => {
  const message = /^joulemetry: Cannot write the report to \/dev\/full: ENOSPC[^\n]*\n$/;
  for (const [code, script] of [
    [125, 'exit 0'],
    [3, 'exit 3'],
    [143, 'kill -TERM $$; sleep 9'],
  ] as const) {
    for (const target of [
      ['-o', '/dev/full'],
      ['-q', '--json', '/dev/full'],
    ]) {
      const [status, stderr] = redirect([...target, 'sh', '-c', script], '');
      assert.equal(status, code);
      assert.match(stderr, message);
    }
  }
  assert.equal(redirect(['-q', '--json', '-', 'true'], '>/dev/full')[0], 125);
  assert.equal(redirect(['-o', '-', 'true'], '>/dev/full')[0], 125);
  assert.equal(redirect(['true'], '2>/dev/full')[0], 125);
  assert.equal(redirect(['false'], '2>/dev/full')[0], 1);
  assert.deepEqual(redirect(['-o', '-', 'true'], '| head -c 0'), [0, '']);
});

test('exec leaves a report of before as it was, until the new one is there', () => {
  const file = join(createFolder(), 'file');
  writeFileSync(file, 'long '.repeat(10_000));
  assert.equal(exec(['--json', file, '-q', 'cat', file]).stdout.length, 50_000);
  assert.equal(parse(readFileSync(file, 'utf8')).runs.length, 1);
});
