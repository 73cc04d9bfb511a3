import type { Sampler } from '../../src/component/sampling.js';
import { parseSettings } from '../../src/config/settings.js';
import { schema } from './config.js';
import type { FakeSysfs } from './fake-sysfs.fixture.js';
import { openRaplSampler } from './sampler.js';

/** A sampler of the zones of a simulated sysfs. */
export function openOn(sysfs: FakeSysfs, nowMs?: () => number): Sampler {
  return openRaplSampler(parseSettings(schema, { interface: 'powercap', sysfs: sysfs.root }), nowMs);
}

export function readRow(sampler: Sampler): number[] {
  const values = new Float64Array(sampler.width);
  sampler.read(values, 0);
  return [...values];
}
