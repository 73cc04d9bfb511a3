import {
  ATTR_HW_GPU_CLOCK_DOMAIN,
  ATTR_HW_GPU_POWER_WINDOW,
  ATTR_HW_GPU_TASK,
  ATTR_HW_GPU_THROTTLE_REASON,
  ATTR_HW_SENSOR_LOCATION,
  ATTR_NETWORK_IO_DIRECTION,
} from '../model/semantic-conventions.js';
import type { Attributes, Metric } from '../model/series.js';
import { hwFanSpeed, hwFanSpeedRatio, hwTemperature, hwVoltage } from '../model/shared-metrics.js';
import * as metrics from './metrics.js';

/**
 * The kind of a value. `gauge`: at its instant. `count`: cumulative. `growth`: since the previous value.
 * `rate`: per second at its instant, from which the growth is computed.
 */
export type ColumnKind = 'gauge' | 'count' | 'growth' | 'rate';

/** How the values of a column are published. */
export interface Column {
  readonly metric: Metric;
  readonly kind: ColumnKind;
  /** In addition to those of the device. */
  readonly attributes: Attributes;
  /** If it is not the GPU itself: `hw.type`, and the suffix of its `hw.id`. */
  readonly component: readonly [type: string, suffix: string] | undefined;
  /** A larger value is a sentinel of the driver, or wrong: no reading. */
  readonly max: number;
}

const part = 1;
/** Fans, and encoders in some drivers, report slightly more than 100 %. */
const fanPart = 3;
const maxWatts = 20_000;
const [minDegrees, maxDegrees] = [-100, 250];
const maxVolts = 1000;
const maxRpm = 100_000;
const maxHertz = 1e11;
const maxBytes = 2 ** 50;
/** All links of a GPU together: NVLink 5 has 1.8 TB/s. */
const maxBytesPerSecond = 1e13;

/** The averaging time of a power reading, if its name does not show it. */
const windows: Readonly<Record<string, string>> = { average: '1s' };

type Describe = (name: string) => readonly [Metric, ColumnKind, Attributes, max: number];

const kinds: Readonly<Record<string, Describe>> = {
  power: (name) =>
    name === 'limit'
      ? [metrics.powerLimit, 'gauge', {}, maxWatts]
      : [metrics.gpuPower, 'gauge', { [ATTR_HW_GPU_POWER_WINDOW]: windows[name] ?? name }, maxWatts],
  utilization: (name) => [metrics.utilization, 'gauge', { [ATTR_HW_GPU_TASK]: name }, part],
  clock: (name) => [metrics.clockFrequency, 'gauge', { [ATTR_HW_GPU_CLOCK_DOMAIN]: name }, maxHertz],
  throttle: (name) => [metrics.throttled, 'gauge', { [ATTR_HW_GPU_THROTTLE_REASON]: name }, part],
  'throttle.time': (name) => [metrics.throttleTime, 'count', { [ATTR_HW_GPU_THROTTLE_REASON]: name }, 1e12],
  'throttle.growth': (name) => [metrics.throttleTime, 'growth', { [ATTR_HW_GPU_THROTTLE_REASON]: name }, 1e6],
  idle: (name) => [metrics.idleTime, 'count', { [ATTR_HW_GPU_CLOCK_DOMAIN]: name }, 1e12],
  errors: (name) => [metrics.errors, 'count', { 'error.type': name }, 1e15],
  nvlink: (name) => [metrics.gpuIo, 'count', describeLink('nvlink', name), Number.MAX_SAFE_INTEGER],
  'nvlink.growth': (name) => [metrics.gpuIo, 'growth', describeLink('nvlink', name), maxBytes],
  'pcie.growth': (name) => [metrics.gpuIo, 'growth', describeLink('pcie', name), maxBytes],
  'pcie.rate': (name) => [metrics.gpuIo, 'rate', describeLink('pcie', name), maxBytesPerSecond],
  processes: (name) => [metrics.contextCount, 'gauge', { 'hw.gpu.process.type': name }, 1e6],
  pipe: (name) => [metrics.pipeUtilization, 'gauge', { 'hw.gpu.pipe': name }, part],
  temperature: (name) => [hwTemperature, 'gauge', { [ATTR_HW_SENSOR_LOCATION]: name }, maxDegrees],
  voltage: (name) => [hwVoltage, 'gauge', { [ATTR_HW_SENSOR_LOCATION]: name }, maxVolts],
  fan_speed: () => [hwFanSpeed, 'gauge', {}, maxRpm],
  fan: () => [hwFanSpeedRatio, 'gauge', {}, fanPart],
};

const whole: Readonly<Record<string, readonly [Metric, max: number]>> = {
  'memory.usage': [metrics.memoryUsage, maxBytes],
  'memory.limit': [metrics.memoryLimit, maxBytes],
  'memory.reserved': [metrics.memoryReserved, maxBytes],
  'memory.utilization': [metrics.memoryUtilization, part],
  'memory.bandwidth': [metrics.bandwidthUtilization, part],
  'memory.shared.usage': [metrics.sharedMemoryUsage, maxBytes],
  'memory.shared.limit': [metrics.sharedMemoryLimit, maxBytes],
  performance_state: [metrics.performanceState, 15],
  'graphics.utilization': [metrics.graphicsUtilization, part],
  'sm.utilization': [metrics.smUtilization, part],
  'sm.occupancy': [metrics.smOccupancy, part],
};

/** The values that a column can have; drivers set all bits of an unknown value. */
export function rangeOf({
  max,
  metric,
}: Pick<Column, 'max' | 'metric'>): readonly [min: number, max: number] {
  return [metric === hwTemperature ? minDegrees : 0, max];
}

/** NaN for implausible values. */
export function checkValue(value: number, column: Column): number {
  const [min, max] = rangeOf(column);
  return value >= min && value <= max ? value : NaN;
}

/** How a column of the reading thread is published; undefined for `energy`, a counter of its own. */
export function describeColumn(id: string): Column | undefined {
  const known = whole[id];
  if (known) return { metric: known[0], kind: 'gauge', attributes: {}, component: undefined, max: known[1] };
  const dot = id.lastIndexOf('.');
  const [kindName, name] = [id.slice(0, dot), id.slice(dot + 1)];
  const describe = kinds[kindName];
  if (describe === undefined) return undefined;
  const [metric, kind, attributes, max] = describe(name);
  return {
    metric,
    kind,
    attributes,
    max,
    component: describeComponent(kindName, name),
  };
}

/** Sensors are components of a GPU. */
function describeComponent(kind: string, name: string): Column['component'] {
  if (kind === 'fan_speed') return ['fan', name];
  const isSensor = kind === 'fan' || kind === 'temperature' || kind === 'voltage';
  return isSensor ? [kind, `${kind}-${name}`] : undefined;
}

function describeLink(link: string, direction: string): Attributes {
  return { 'hw.gpu.io.link': link, [ATTR_NETWORK_IO_DIRECTION]: direction };
}
