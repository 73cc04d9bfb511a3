import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { loadQuietWatts, saveQuietWatts } from '../../src/energy/floor-store.js';
import { createFolder } from '../../src/testing/temporary-folder.fixture.js';
import { Rig } from './rig.fixture.js';

test('loadQuietWatts returns what saveQuietWatts wrote', () => {
  const path = join(createFolder(), 'floors.json');
  saveQuietWatts(path, new Map([['cpu/package-0', [1.5, 2]]]));
  saveQuietWatts(path, new Map([['cpu/package-0', [1.5, 2.5]]]));
  assert.deepEqual(loadQuietWatts(path), new Map([['cpu/package-0', [1.5, 2.5]]]));
  assert.equal(statSync(path).mode & 0o777, 0o600);
});

test('attribution uses the floor that an earlier run has learned on the same machine, from the first window on', () => {
  const state = join(createFolder(), 'floors.json');
  const play = (seconds: number, host: string) => {
    const rig = new Rig({ state_file: state });
    const meter = rig.createMeter({ 'energy.method': 'measured' });
    const own = { ...meter, resource: { attributes: { 'host.name': host } } };
    for (let atS = 0; atS <= seconds; atS++) {
      rig.energy(own, atS, 10 * atS);
      rig.boundary(atS, 0.01 * atS);
    }
    const floor = rig.out.last('attribution.floor.power').at(0);
    void rig.processor.shutdown();
    return floor && [floor.value, floor.series.attributes['floor.source']];
  };
  assert.deepEqual(play(65, 'one'), [10, 'learned']);
  assert.deepEqual(play(3, 'one'), [10, 'persisted']);
  assert.equal(play(3, 'another'), undefined);
  // What was learned on either machine is kept.
  assert.deepEqual(play(65, 'another'), [10, 'learned']);
  assert.deepEqual(play(3, 'one'), [10, 'persisted']);
});

test('loadQuietWatts returns nothing if there is no file', () => {
  assert.equal(loadQuietWatts(join(createFolder(), 'none.json')).size, 0);
});

test('loadQuietWatts reports the error in a file', () => {
  const path = join(createFolder(), 'floors.json');
  for (const [text, message] of [
    ['{', /Cannot parse .*floors\.json: /],
    ['{"a": 1}', /Cannot parse .*floors\.json: expected a map with the key "quiet_watts", found none/],
    ['{"quiet_watts": {"cpu/0": 7}}', /expected a list of watts at "cpu\/0", found none/],
  ] as const) {
    writeFileSync(path, text);
    assert.throws(() => loadQuietWatts(path), message);
  }
});

test('saveQuietWatts reports why it cannot write', () => {
  const path = join(createFolder(), 'missing', 'floors.json');
  assert.throws(() => saveQuietWatts(path, new Map()), /Cannot write .*floors\.json: ENOENT/);
});

test('loadQuietWatts throws immediately if the folder is missing or the file is a device', () => {
  const missing = join(createFolder(), 'missing', 'floors.json');
  assert.throws(() => loadQuietWatts(missing), /Cannot write .*floors\.json: ENOENT/);
  assert.throws(() => loadQuietWatts('/dev/zero'), /Cannot (read|write) \/dev\/zero: /);
});

test('saveQuietWatts replaces a leftover temporary file of an earlier run, and does not block on a FIFO', () => {
  const path = join(createFolder(), 'floor.json');
  execFileSync('mkfifo', [`${path}.new`]);
  saveQuietWatts(path, new Map([['cpu', [1]]]));
  assert.deepEqual(loadQuietWatts(path), new Map([['cpu', [1]]]));
});
