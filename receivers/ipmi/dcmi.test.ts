import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Bmc } from './bmc.js';
import { readPower } from './dcmi.js';
import { createPowerAnswer, FakeBmc } from './fake-bmc.fixture.js';

function read(answer: readonly number[]) {
  const fake = new FakeBmc();
  fake.power.set(1, answer);
  return readPower(new Bmc(fake));
}

/** A response without a timestamp. */
function createUntimed(watts: readonly number[], state: number): readonly number[] {
  const answer = [...createPowerAnswer(watts, 0, state)];
  return answer.fill(0, 9, 13);
}

test('readPower reads OpenBMC of 2018 to 2022, which has the power and nothing else', () => {
  // ipmitool prints 319 W four times, 1970, 0 s and "deactivated": https://github.com/openbmc/openbmc/issues/3257
  const unknown = { minWatts: NaN, maxWatts: NaN, averageWatts: NaN, periodMs: NaN };
  assert.deepEqual(read(createUntimed([319, 319, 319, 319], 0)), { watts: 319, ...unknown });
  assert.equal(read(createUntimed([0, 0, 0, 0], 0)), undefined, 'no power yet');
  assert.equal(read(createUntimed([319, 300, 340, 319], 0)), undefined);
  assert.equal(
    read(createPowerAnswer([319, 319, 319, 319], 0, 0)),
    undefined,
    'a measurement that has ended',
  );
});

test('readPower reads OpenBMC of 2023, which sets another bit', () => {
  const expected = { watts: 360, minWatts: 360, maxWatts: 360, averageWatts: 360, periodMs: 1 };
  assert.deepEqual(read(createPowerAnswer([360, 360, 360, 360], 1, 0x02)), expected);
  assert.deepEqual(read(createPowerAnswer([360, 360, 360, 360], 1, 0x40)), expected);
});
