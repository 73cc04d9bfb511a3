import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createFakeContext } from '../../src/component/fakes.js';
import { parseSettings } from '../../src/config/settings.js';
import { createSpec } from '../../src/simulation/machine-spec.js';
import { SimulatedTree } from '../../src/simulation/tree/simulated-tree.js';
import { createFolder } from '../../src/testing/temporary-folder.fixture.js';
import { EstimateScraper } from './estimate-scraper.js';
import { factory } from './factory.js';

const epoch = 1_700_000_000_000_000_000n;

test('EstimateScraper gives what the model makes of the true busy time of a simulated machine', (t) => {
  const root = createFolder();
  const boot = { sinceBootNs: 5_000_000_000n, wallNs: epoch };
  const tree = new SimulatedTree({ spec: createSpec({ seed: 5, sockets: 1, cpusPerSocket: 8 }), root, boot });
  t.after(() => tree.close());
  let us = 0;
  const clock = {
    wallNs: () => epoch + BigInt(us) * 1000n,
    monotonicNs: () => BigInt(us) * 1000n,
    countBreaks: () => 0,
  };
  const settings = { procfs: `${root}/proc`, idle_power: 20, max_power: 100 };
  const context = createFakeContext({ clock });
  const scraper = new EstimateScraper(parseSettings(factory.schema, settings), context);
  t.after(() => scraper.close());
  const { machine } = tree;
  for (let second = 0; second <= 20; second++) {
    us = second * 1_000_000;
    tree.write(us, clock.wallNs);
    const [joules = NaN] = [...scraper.scrape(0)].at(-1)?.values ?? [];
    const wanted = 20 * second + (80 / 8) * (Number(machine.busyNs) / 1e9);
    // The kernel reports the idle time of each of 8 CPUs in ticks of 10 ms.
    assert.ok(
      Math.abs(joules - wanted) <= (80 / 8) * 8 * 0.01,
      `${joules} J after ${second} s, truly ${wanted}`,
    );
  }
  assert.ok(machine.busyNs > 10_000_000_000n);
});
