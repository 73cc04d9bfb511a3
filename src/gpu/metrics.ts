import type { Metric, MetricKind } from '../model/series.js';
import {
  gpuTime,
  hwEnergy,
  hwFanSpeedRatio,
  hwStatus,
  hwTemperature,
  hwTemperatureLimit,
  meterEnergy,
  processGpuTime,
} from '../model/shared-metrics.js';

// Names by the semantic conventions where they have one; the others in the shape that theirs have.

function define(name: string, unit: string, kind: MetricKind, description: string): Metric {
  const isWhole = ['By', 'Hz', '{process}', '{error}'].includes(unit);
  return { name, unit, kind, description, valueType: isWhole ? 'int' : 'double' };
}

export const gpuPower = define(
  'hw.gpu.power',
  'W',
  'gauge',
  'Power of a GPU board as reported by its own sensor',
);
export const powerLimit = define(
  'hw.gpu.power.limit',
  'W',
  'gauge',
  'Power limit that the driver enforces on a GPU',
);
export const utilization = define(
  'hw.gpu.utilization',
  '1',
  'gauge',
  'Share of time in which a GPU, or a part of it, was busy',
);
export const memoryUsage = define(
  'hw.gpu.memory.usage',
  'By',
  'updowncounter',
  'GPU memory that is allocated',
);
export const memoryLimit = define('hw.gpu.memory.limit', 'By', 'updowncounter', 'Total memory of a GPU');
export const memoryReserved = define(
  'hw.gpu.memory.reserved',
  'By',
  'updowncounter',
  'GPU memory that the driver and the firmware reserve',
);
export const memoryUtilization = define(
  'hw.gpu.memory.utilization',
  '1',
  'gauge',
  'Share of GPU memory that is allocated',
);
export const sharedMemoryUsage = define(
  'hw.gpu.memory.shared.usage',
  'By',
  'updowncounter',
  'Memory of the machine that a GPU uses',
);
export const sharedMemoryLimit = define(
  'hw.gpu.memory.shared.limit',
  'By',
  'updowncounter',
  'Memory of the machine that a GPU may use',
);
export const clockFrequency = define('hw.gpu.clock.frequency', 'Hz', 'gauge', 'Clock of a part of a GPU');
export const performanceState = define(
  'hw.gpu.performance_state',
  '1',
  'gauge',
  'Performance state, from 0 (highest) to 15',
);
export const throttled = define(
  'hw.gpu.throttled',
  '1',
  'gauge',
  '1 while the clocks are lowered for a reason, otherwise 0',
);
export const throttleTime = define(
  'hw.gpu.throttle.time',
  's',
  'counter',
  'Time during which the clocks were lowered for a reason',
);
export const idleTime = define(
  'hw.gpu.idle.time',
  's',
  'counter',
  'Time in which a part of a GPU was in its deepest idle state',
);
export const gpuIo = define('hw.gpu.io', 'By', 'counter', 'Bytes that a GPU sent and received');
export const contextCount = define(
  'hw.gpu.process.count',
  '{process}',
  'updowncounter',
  'Processes with a context on a GPU',
);
export const graphicsUtilization = define(
  'hw.gpu.graphics.utilization',
  '1',
  'gauge',
  'Share of time in which the graphics and compute engine was busy',
);
export const smUtilization = define('hw.gpu.sm.utilization', '1', 'gauge', 'Share of the SMs that were busy');
export const smOccupancy = define(
  'hw.gpu.sm.occupancy',
  '1',
  'gauge',
  'Resident warps as a share of the maximum that the SMs can hold',
);
export const pipeUtilization = define(
  'hw.gpu.pipe.utilization',
  '1',
  'gauge',
  'Share of time in which the pipes of a kind were busy; tensor includes all tensor_* kinds',
);
export const bandwidthUtilization = define(
  'hw.gpu.memory.bandwidth.utilization',
  '1',
  'gauge',
  'Share of the memory bandwidth that was used',
);
export const errors = define('hw.errors', '{error}', 'counter', 'Errors of a hardware component');
export const processUtilization = define(
  'process.gpu.utilization',
  '1',
  'gauge',
  'Share of time in which a process kept an engine of a GPU busy',
);
export const processMemory = define(
  'process.gpu.memory.usage',
  'By',
  'updowncounter',
  'GPU memory that a process has allocated',
);

export const metrics: readonly Metric[] = [
  hwEnergy,
  meterEnergy,
  gpuPower,
  powerLimit,
  utilization,
  memoryUsage,
  memoryLimit,
  memoryReserved,
  memoryUtilization,
  clockFrequency,
  performanceState,
  throttled,
  throttleTime,
  gpuIo,
  contextCount,
  graphicsUtilization,
  smUtilization,
  smOccupancy,
  pipeUtilization,
  bandwidthUtilization,
  errors,
  hwStatus,
  hwTemperature,
  hwTemperatureLimit,
  hwFanSpeedRatio,
  gpuTime,
  processGpuTime,
  processUtilization,
  processMemory,
];
