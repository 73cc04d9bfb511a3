import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { closeSync, constants, openSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { board, createBoard, startRig } from './hwmon-machine.fixture.js';

const damages = [
  ['is empty', ''],
  ['lost its end', '4500'],
  ['has a text', 'N/A\n'],
  ['has two numbers', '1 2\n'],
  ['is beyond what a sensor shows', '999999999\n'],
  ['is the least number of the kernel', '-9223372036854775808\n'],
] as const;

for (const [what, text] of damages) {
  test(`hwmon has a gap where a file ${what}, and reads the others`, async (t) => {
    const sysfs = createBoard({ temp1_input: 45_000, temp2_input: 46_000, power1_input: 10e6 });
    const rig = await startRig(t, sysfs);
    await rig.read();
    writeFileSync(join(sysfs.path, 'class/hwmon/hwmon0/temp1_input'), text);
    const readings = await rig.read(1);
    assert.deepEqual(
      [readings[`hw.temperature ${board}/temp1`], readings[`hw.temperature ${board}/temp2`]],
      [NaN, 46],
    );
    sysfs.write('hwmon0', 'temp1_input', 47_000);
    assert.equal((await rig.read(1))[`hw.temperature ${board}/temp1`], 47);
    assert.equal(rig.log.filter((line) => line.startsWith('error')).length <= 1, true);
  });
}

test('hwmon logs once why a sensor that it has read cannot be read', async (t) => {
  const sysfs = createBoard({ temp1_input: 45_000, temp2_input: 46_000 });
  const rig = await startRig(t, sysfs);
  writeFileSync(join(sysfs.path, 'class/hwmon/hwmon0/temp1_input'), '?');
  for (let i = 0; i < 3; i++) await rig.read(1);
  const path = join(sysfs.path, 'class/hwmon/hwmon0/temp1_input');
  assert.deepEqual(rig.log, [
    `error: Cannot scrape: Cannot read sensors: ${path}: expected a whole number, found none`,
  ]);
});

test('hwmon says nothing of a sensor that could never be read', async (t) => {
  const rig = await startRig(t, createBoard({ temp1_input: 'N/A', temp2_input: 46_000 }));
  assert.equal((await rig.read(1))[`hw.temperature ${board}/temp2`], 46);
  assert.deepEqual(rig.log, []);
});

test('hwmon does not trust a sensor that reports a fault', async (t) => {
  const sysfs = createBoard({ temp1_input: 45_000, temp1_fault: 0, fan1_input: 900, fan1_fault: 1 });
  const rig = await startRig(t, sysfs);
  assert.deepEqual(await rig.read(), {
    [`hw.temperature ${board}/temp1`]: 45,
    [`hw.fan.speed ${board}/fan1`]: NaN,
  });
});

test('hwmon has a gap where a file cannot be read from its start', async (t) => {
  const sysfs = createBoard({ temp2_input: 46_000 });
  const path = join(sysfs.path, 'class/hwmon/hwmon0/temp1_input');
  execFileSync('mkfifo', [path]);
  // Without a writer, it would be empty.
  const writer = openSync(path, constants.O_RDWR);
  t.after(() => closeSync(writer));
  const rig = await startRig(t, sysfs);
  assert.deepEqual(await rig.read(), {
    [`hw.temperature ${board}/temp1`]: NaN,
    [`hw.temperature ${board}/temp2`]: 46,
  });
});
