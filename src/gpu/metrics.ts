import type { Metric, MetricKind } from '../model/series.js';

// Names follow the semantic conventions where they exist, and otherwise their style.

function define(kind: MetricKind): (name: string, unit: string, description: string) => Metric {
  return (name, unit, description) => {
    const isWhole = ['By', 'Hz', '{process}', '{error}'].includes(unit);
    return { name, unit, kind, description, valueType: isWhole ? 'int' : 'double' };
  };
}

const [gauge, counter, upDownCounter] = [define('gauge'), define('counter'), define('updowncounter')];

export const gpuPower = gauge('hw.gpu.power', 'W', 'Power of a GPU board as reported by its own sensor');
export const powerLimit = gauge('hw.gpu.power.limit', 'W', 'Power limit that the driver enforces on a GPU');
export const utilization = gauge(
  'hw.gpu.utilization',
  '1',
  'Share of time during which a GPU, or a part of it, was busy',
);
export const memoryUsage = upDownCounter('hw.gpu.memory.usage', 'By', 'GPU memory that is allocated');
export const memoryLimit = upDownCounter('hw.gpu.memory.limit', 'By', 'Total memory of a GPU');
export const memoryReserved = upDownCounter(
  'hw.gpu.memory.reserved',
  'By',
  'GPU memory that the driver and the firmware reserve',
);
export const memoryUtilization = gauge(
  'hw.gpu.memory.utilization',
  '1',
  'Share of GPU memory that is allocated',
);
export const sharedMemoryUsage = upDownCounter(
  'hw.gpu.memory.shared.usage',
  'By',
  'Memory of the machine that a GPU uses',
);
export const sharedMemoryLimit = upDownCounter(
  'hw.gpu.memory.shared.limit',
  'By',
  'Memory of the machine that a GPU may use',
);
export const clockFrequency = gauge('hw.gpu.clock.frequency', 'Hz', 'Clock frequency of a part of a GPU');
export const performanceState = gauge(
  'hw.gpu.performance_state',
  '1',
  'Performance state, from 0 (highest) to 15',
);
export const throttled = gauge(
  'hw.gpu.throttled',
  '1',
  '1 while the clocks are lowered for a reason, otherwise 0',
);
export const throttleTime = counter(
  'hw.gpu.throttle.time',
  's',
  'Time during which the clocks were lowered for a reason',
);
export const idleTime = counter(
  'hw.gpu.idle.time',
  's',
  'Time during which a part of a GPU was in its deepest idle state',
);
export const gpuIo = counter('hw.gpu.io', 'By', 'Bytes that a GPU sent and received');
export const contextCount = upDownCounter(
  'hw.gpu.process.count',
  '{process}',
  'Processes with a context on a GPU',
);
export const graphicsUtilization = gauge(
  'hw.gpu.graphics.utilization',
  '1',
  'Share of time during which the graphics and compute engine was busy',
);
export const smUtilization = gauge('hw.gpu.sm.utilization', '1', 'Share of the SMs that were busy');
export const smOccupancy = gauge(
  'hw.gpu.sm.occupancy',
  '1',
  'Resident warps as a share of the maximum that the SMs can hold',
);
export const pipeUtilization = gauge(
  'hw.gpu.pipe.utilization',
  '1',
  'Share of time during which the pipes of a kind were busy; tensor includes all tensor_* kinds',
);
export const bandwidthUtilization = gauge(
  'hw.gpu.memory.bandwidth.utilization',
  '1',
  'Share of the memory bandwidth that was used',
);
export const errors = counter('hw.errors', '{error}', 'Errors of a hardware component');
export const processUtilization = gauge(
  'process.gpu.utilization',
  '1',
  'Share of time during which a process kept an engine of a GPU busy',
);
export const processMemory = upDownCounter(
  'process.gpu.memory.usage',
  'By',
  'GPU memory that a process has allocated',
);
