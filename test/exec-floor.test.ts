import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { createFakeSysfs } from '../receivers/rapl/fake-sysfs.fixture.js';
import { createFolder } from '../src/testing/temporary-folder.fixture.js';
import { runAgent } from './agent.js';

interface Energy {
  readonly machine_energy_j: number;
  readonly command_energy_j: number;
  readonly idle_energy_j: number | null;
  readonly above_idle_energy_j: number | null;
  readonly other_energy_j: number;
  readonly idle_power_source: string | null;
}

/** Runs a command during which the package uses 10 J, by a meter that is refreshed 25 times. */
async function measure(t: TestContext, floor: string) {
  const sysfs = createFakeSysfs(t);
  sysfs.writeZone('intel-rapl:0', { name: 'package-0', microjoules: 5_000_000 });
  const counter = join(sysfs.root, 'class/powercap/intel-rapl:0/energy_uj');
  const settings = [`receivers.rapl.sysfs=${sysfs.root}`, 'receivers.rapl.interface=powercap'];
  const use = 'for i in $(seq 25); do sleep 0.05; echo $((5000000 + i * 400000)) > "$0"; done';
  const options = ['--json', '--floor', floor, ...settings.flatMap((one) => ['--set', one])];
  const { stdout, stderr } = await runAgent(['exec', ...options, '--', 'sh', '-c', use, counter]);
  const { runs } = JSON.parse(stdout) as {
    readonly runs: readonly { readonly wall_time_s: number; readonly energy: Energy }[];
  };
  const [run] = runs;
  assert.ok(run);
  return { ...run, stderr };
}

test('exec shows idle energy by the floor that an agent has learned on this machine, and by no other', async (t) => {
  const floor = join(createFolder(), 'floors.json');
  const write = (quietWatts: object) => writeFileSync(floor, JSON.stringify({ quiet_watts: quietWatts }));
  const watts = Array.from({ length: 60 }, () => 4);
  write({ 'another/cpu/cpu-package-0': watts });
  const unknown = await measure(t, floor);
  assert.deepEqual([unknown.energy.idle_energy_j, unknown.energy.idle_power_source], [null, null]);
  const [, key = ''] =
    /Cannot find the floor of (\S+) in .*, found another\/cpu\/cpu-package-0;/.exec(unknown.stderr) ?? [];
  assert.match(key, /^.+\/cpu\/cpu-package-0$/);
  write({ [key]: watts });
  const { energy, wall_time_s: seconds, stderr } = await measure(t, floor);
  assert.equal(energy.idle_power_source, 'persisted');
  assert.match(stderr, /^ {2}idle .* as learned earlier \(--floor\)$/m);
  const { machine_energy_j: machine, idle_energy_j: idle, above_idle_energy_j: above } = energy;
  // The last refresh may be after the end of the command, and the energy up to the edges is that of the mean power.
  assert.ok(Math.abs(machine - 10) < 1, `${machine} J`);
  assert.ok(idle !== null && above !== null);
  assert.ok(Math.abs(idle + above - machine) < 1e-9);
  assert.ok(Math.abs(idle + energy.command_energy_j + energy.other_energy_j - machine) < 1e-9);
  assert.ok(Math.abs(idle / (4 * seconds) - 1) < 0.02, `${idle} J in ${seconds} s`);
});
