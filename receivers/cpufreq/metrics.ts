import type { Metric } from '../../src/model/series.js';

export const speed: Metric = {
  name: 'hw.cpu.speed',
  unit: 'Hz',
  description: 'Frequency of the CPUs of a policy, as reported by the kernel',
  kind: 'gauge',
  valueType: 'int',
};
export const speedLimit: Metric = {
  name: 'hw.cpu.speed.limit',
  unit: 'Hz',
  description: 'Lowest and highest frequency that the hardware supports, and that the policy allows',
  kind: 'gauge',
  valueType: 'int',
};
export const policies: Metric = {
  name: 'system.linux.cpufreq.policy.count',
  unit: '{policy}',
  description: 'Policies by driver and governor',
  kind: 'updowncounter',
  valueType: 'int',
};
export const boost: Metric = {
  name: 'system.linux.cpufreq.boost',
  unit: '1',
  description: '1 if frequencies above the nominal one are allowed, otherwise 0',
  kind: 'gauge',
  valueType: 'int',
};
export const stateTime: Metric = {
  name: 'system.linux.cpufreq.state.time',
  unit: 's',
  description: 'Time that the CPUs of a policy were set to a frequency',
  kind: 'counter',
  valueType: 'double',
};
export const transitions: Metric = {
  name: 'system.linux.cpufreq.transitions',
  unit: '{transition}',
  description: 'Changes of the frequency of a policy',
  kind: 'counter',
  valueType: 'int',
};
