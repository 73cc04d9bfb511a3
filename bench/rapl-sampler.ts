import type { Config } from '../receivers/rapl/config.js';
import { openRaplSampler } from '../receivers/rapl/sampler.js';
import type { OpenSampler } from '../src/component/sampling.js';
import { stayOnCpu0 } from './perf-sampler.js';

/** The sampler of the rapl receiver, on the same CPU as the floor in C. */
export const openSampler: OpenSampler<Config> = (config) => {
  stayOnCpu0();
  return openRaplSampler(config);
};
