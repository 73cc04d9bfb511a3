import {
  bindScalar,
  createFeature,
  kilo,
  mega,
  milli,
  percent,
  same,
  wholeDevice,
  type Feature,
  type Handle,
} from './feature.js';
import { bindFields, fieldIds } from './fields.js';
import { success } from './library.js';

/**
 * Energy since the driver was loaded, in microjoules. It takes 3 ms, and is read first because its time becomes
 * that of the row.
 */
export function bindEnergy(handle: Handle): Feature {
  const { scratch } = handle.library;
  const call = handle.library.find('nvmlDeviceGetTotalEnergyConsumption', wholeDevice);
  const read = () => call(handle.device, scratch.address);
  return createFeature('energy counter', 'energy', read, () => kilo(scratch.u64()));
}

/**
 * All other features of a whole GPU. Values without a field are read with calls that older drivers have.
 * @param hasField whether a field can be read
 */
export function bindGpu(handle: Handle, hasField: (id: number) => boolean): readonly Feature[] {
  return [
    ...bindFields(handle, hasField),
    ...(hasField(fieldIds.instantPower) ? [] : [bindPowerUsage(handle)]),
    bindUtilization(handle),
    ...engines.map(([name, symbol]) => bindEngine(handle, name, symbol)),
    bindMemory(handle),
    ...clocks.map((domain, which) =>
      bindScalar(handle, {
        name: `${domain} clock`,
        column: `clock.${domain}`,
        symbol: 'nvmlDeviceGetClockInfo',
        which,
        scale: mega,
      }),
    ),
    bindScalar(handle, {
      name: 'temperature',
      column: 'temperature.gpu',
      symbol: 'nvmlDeviceGetTemperature',
      which: 0,
      scale: same,
    }),
    ...bindFans(handle),
    bindScalar(handle, {
      name: 'performance state',
      column: 'performance_state',
      symbol: 'nvmlDeviceGetPerformanceState',
      scale: same,
    }),
    bindScalar(handle, {
      name: 'power limit',
      column: 'power.limit',
      symbol: 'nvmlDeviceGetEnforcedPowerLimit',
      scale: milli,
    }),
    bindThrottleReasons(handle),
    bindEcc(handle, 'corrected', 0),
    bindEcc(handle, 'uncorrected', 1),
    bindScalar(handle, {
      name: 'PCIe replays',
      column: 'errors.pcie_replay',
      symbol: 'nvmlDeviceGetPcieReplayCounter',
      scale: same,
    }),
  ];
}

/** The features of a MIG instance. */
export function bindInstance(handle: Handle): readonly Feature[] {
  return [bindMemory(handle)];
}

/** PCIe traffic from samples of 20 ms: each of the two calls takes that long. */
export function bindPcieSampling(handle: Handle): readonly Feature[] {
  const symbol = 'nvmlDeviceGetPcieThroughput';
  return [
    bindScalar(handle, {
      name: 'PCIe traffic sent',
      column: 'pcie.rate.transmit',
      symbol,
      which: 0,
      scale: kilo,
    }),
    bindScalar(handle, {
      name: 'PCIe traffic received',
      column: 'pcie.rate.receive',
      symbol,
      which: 1,
      scale: kilo,
    }),
  ];
}

const clocks = ['graphics', 'sm', 'memory', 'video'];

const engines: readonly (readonly [string, string])[] = [
  ['encoder', 'nvmlDeviceGetEncoderUtilization'],
  ['decoder', 'nvmlDeviceGetDecoderUtilization'],
  ['jpeg', 'nvmlDeviceGetJpgUtilization'],
  ['ofa', 'nvmlDeviceGetOfaUtilization'],
];

// nvml.h of CUDA 13, NVML_NVLINK_MAX_LINKS; it was 18 before. Older drivers reject the other links.
const maxLinks = 36;

/** Whether any NVLink of a GPU is active. */
export function hasNvLink({ library, device }: Handle): boolean {
  const { scratch } = library;
  const call = library.find(
    'nvmlDeviceGetNvLinkState',
    'uintptr_t device, unsigned int link, uintptr_t active',
  );
  return Array.from({ length: maxLinks }, (_, link) => link).some(
    (link) => call(device, link, scratch.address) === success && scratch.u32() === 1,
  );
}

/** Whether this is the average or the current power depends on the architecture: nvml.h at nvmlDeviceGetPowerUsage. */
function bindPowerUsage(handle: Handle): Feature {
  const ampere = 7;
  const isGa100 = readComputeCapability(handle) === '8.0';
  const architecture = handle.library.readNumber('nvmlDeviceGetArchitecture', handle.device) ?? 0;
  const column = architecture >= ampere && !isGa100 ? 'power.average' : 'power.instant';
  return bindScalar(handle, { name: 'power', column, symbol: 'nvmlDeviceGetPowerUsage', scale: milli });
}

function readComputeCapability({ library, device }: Handle): string {
  const { scratch } = library;
  const call = library.find(
    'nvmlDeviceGetCudaComputeCapability',
    'uintptr_t device, uintptr_t major, uintptr_t minor',
  );
  return call(device, scratch.address, scratch.address + 4) === success
    ? `${scratch.u32()}.${scratch.u32(4)}`
    : '';
}

function bindUtilization({ library, device }: Handle): Feature {
  const call = library.find('nvmlDeviceGetUtilizationRates', wholeDevice);
  const { scratch } = library;
  return {
    name: 'utilization',
    columns: ['utilization.general', 'utilization.memory'],
    read(values, at) {
      const status = call(device, scratch.address);
      values[at] = status === success ? percent(scratch.u32()) : NaN;
      values[at + 1] = status === success ? percent(scratch.u32(4)) : NaN;
      return status;
    },
  };
}

function bindEngine(handle: Handle, name: string, symbol: string): Feature {
  const { scratch } = handle.library;
  const call = handle.library.find(symbol, 'uintptr_t device, uintptr_t utilization, uintptr_t period');
  const read = () => call(handle.device, scratch.address, scratch.address + 8);
  return createFeature(`${name} utilization`, `utilization.${name}`, read, () => percent(scratch.u32()));
}

/**
 * nvmlMemory_v2_t, whose `used` excludes reserved memory; nvmlMemory_t with older drivers, whose `used`
 * includes it.
 */
function bindMemory({ library, device }: Handle): Feature {
  const { scratch } = library;
  const second = library.find('nvmlDeviceGetMemoryInfo_v2', wholeDevice);
  const first = library.find('nvmlDeviceGetMemoryInfo', wholeDevice);
  const version = 40 | (2 << 24);
  scratch.view.setUint32(0, version, true);
  const isSecond = second(device, scratch.address) === success;
  const [totalAt, usedAt] = isSecond ? [8, 32] : [0, 16];
  const reserved = isSecond ? ['memory.reserved'] : [];
  return {
    name: 'memory',
    columns: ['memory.limit', 'memory.usage', 'memory.utilization', ...reserved],
    read(values, at) {
      scratch.view.setUint32(0, version, true);
      const status = isSecond ? second(device, scratch.address) : first(device, scratch.address);
      const total = status === success ? scratch.u64(totalAt) : NaN;
      const used = status === success ? scratch.u64(usedAt) : NaN;
      values[at] = total;
      values[at + 1] = used;
      values[at + 2] = used / total;
      if (isSecond) values[at + 3] = status === success ? scratch.u64(16) : NaN;
      return status;
    },
  };
}

function bindFans(handle: Handle): readonly Feature[] {
  const { library, device } = handle;
  const count = library.readNumber('nvmlDeviceGetNumFans', device) ?? 0;
  const fans = Array.from({ length: Math.min(count, 8) }, (_, fan) =>
    bindScalar(handle, {
      name: `fan ${fan}`,
      column: `fan.${fan}`,
      symbol: 'nvmlDeviceGetFanSpeed_v2',
      which: fan,
      scale: percent,
    }),
  );
  return fans.length > 0
    ? fans
    : [bindScalar(handle, { name: 'fan', column: 'fan.0', symbol: 'nvmlDeviceGetFanSpeed', scale: percent })];
}

/** Reasons for reduced clocks, by bit: nvml.h, nvmlClocksEventReason*. */
const throttleReasons: readonly (readonly [number, string])[] = [
  [0x04, 'sw_power_cap'],
  [0x08, 'hw_slowdown'],
  [0x10, 'sync_boost'],
  [0x20, 'sw_thermal_slowdown'],
  [0x40, 'hw_thermal_slowdown'],
  [0x80, 'hw_power_brake_slowdown'],
];

function bindThrottleReasons({ library, device }: Handle): Feature {
  const { scratch } = library;
  const event = library.find('nvmlDeviceGetCurrentClocksEventReasons', wholeDevice);
  const throttle = library.find('nvmlDeviceGetCurrentClocksThrottleReasons', wholeDevice);
  const call = event(device, scratch.address) === success ? event : throttle;
  return {
    name: 'throttle reasons',
    columns: throttleReasons.map(([, reason]) => `throttle.${reason}`),
    read(values, at) {
      const status = call(device, scratch.address);
      const bits = scratch.u32();
      for (const [i, [bit]] of throttleReasons.entries()) {
        const isActive = (bits & bit) === 0 ? 0 : 1;
        values[at + i] = status === success ? isActive : NaN;
      }
      return status;
    },
  };
}

/** Memory errors since the driver was loaded. */
function bindEcc(handle: Handle, name: string, type: number): Feature {
  const call = handle.library.find(
    'nvmlDeviceGetTotalEccErrors',
    'uintptr_t device, int type, int counter, uintptr_t count',
  );
  const { scratch } = handle.library;
  const read = () => call(handle.device, type, 0, scratch.address);
  return createFeature(`${name} ECC errors`, `errors.${name}`, read, () => scratch.u64());
}
