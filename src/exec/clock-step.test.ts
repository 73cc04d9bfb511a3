import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { createSteppedClock, noSteppedClock } from '../testing/stepped-clock.fixture.js';

const main = fileURLToPath(new URL('../cli/main.js', import.meta.url));

interface Report {
  readonly runs: readonly {
    readonly wall_time_s: number;
    readonly energy: {
      readonly baseline_power_w: number;
      readonly above_baseline_energy_j: number;
      readonly machine_energy_j: number;
      readonly domains: readonly { readonly energy_j: number; readonly mean_power_w: number }[];
    } | null;
  }[];
}

for (const seconds of [3600, -3600]) {
  test(
    `exec divides by the time that passed, when the clock is set by ${seconds} s meanwhile`,
    { skip: noSteppedClock },
    () => {
      const { file, env } = createSteppedClock({ seconds });
      // The warm-up leaves the clock alone; the measured run sets it, long after its baseline.
      const script = `sleep 0.2; [ -e ${file}.warm ] && > ${file}; > ${file}.warm; sleep 0.2`;
      const args = ['-q', '-r', '1', '--baseline', '300ms', '--json', '-', 'sh', '-c', script];
      const { stdout, stderr } = spawnSync(process.execPath, [main, 'exec', ...args], {
        encoding: 'utf8',
        env: { ...process.env, ...env },
      });
      assert.equal(stderr, '');
      assert.ok(existsSync(file));
      check(stdout);
    },
  );
}

/** Every quotient of the report is one of its own time. */
function check(stdout: string): void {
  const [run] = (JSON.parse(stdout) as Report).runs;
  assert.ok(run?.energy, stdout);
  const { energy, wall_time_s: seconds } = run;
  assert.ok(seconds > 0.2 && seconds < 600, stdout);
  for (const { energy_j: joules, mean_power_w: watts } of energy.domains) {
    assert.ok(Math.abs(joules / watts / seconds - 1) < 0.5, stdout);
  }
  assert.ok(energy.baseline_power_w > 0.01, stdout);
  const net = energy.machine_energy_j - energy.baseline_power_w * seconds;
  assert.ok(Math.abs(energy.above_baseline_energy_j - net) < energy.machine_energy_j * 0.5, stdout);
}
