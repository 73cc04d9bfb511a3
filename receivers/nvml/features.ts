import { success, type NvmlLibrary } from './library.js';

/** Something of a device that one call reads. Allocates nothing at a reading. */
export interface Feature {
  /** For people: `power limit`. */
  readonly name: string;
  /** Its columns, in order; see `columns.ts`. */
  readonly columns: readonly string[];
  /** Reads into `values` from `at` on, in SI units. @returns the code of NVML; what it could not read is NaN */
  read(values: Float64Array, at: number): number;
}

/** A device as the library knows it. */
export interface Handle {
  readonly library: NvmlLibrary;
  readonly device: number;
}

/** Makes SI units of what a call gives. Divides, since 72442 * 1e-3 is not 72.442. */
type Scale = (value: number) => number;

const same: Scale = (value) => value;
const nano: Scale = (value) => value / 1e9;
const milli: Scale = (value) => value / 1e3;
const percent: Scale = (value) => value / 100;
const kilo: Scale = (value) => value * 1e3;
const kibi: Scale = (value) => value * 1024;
const mega: Scale = (value) => value * 1e6;

const wholeDevice = 'uintptr_t device, uintptr_t value';
const selected = 'uintptr_t device, int which, uintptr_t value';

/** Energy since the driver was loaded, in microjoules: takes 3 ms, and stands first since the row has its instant. */
export function bindEnergy(handle: Handle): Feature {
  const { scratch } = handle.library;
  const call = handle.library.find('nvmlDeviceGetTotalEnergyConsumption', wholeDevice);
  const read = () => call(handle.device, scratch.address);
  return createFeature('energy counter', 'energy', read, () => kilo(scratch.u64()));
}

/**
 * Everything else of a whole GPU. What its fields do not have is asked for in the way of older drivers.
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

/** What a MIG instance has of its own. */
export function bindInstance(handle: Handle): readonly Feature[] {
  return [bindMemory(handle)];
}

/** PCIe traffic from samples of 20 ms: each of the two calls takes as long. */
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

// nvml.h, NVML_FI_DEV_*.
export const fieldIds = { memoryTemperature: 82, nvlinkTransmit: 138, averagePower: 185, instantPower: 186 };

interface Field {
  readonly id: number;
  readonly column: string;
  readonly scale: Scale;
  /** Of NVLink fields: all links together. */
  readonly scope?: number;
}

const allLinks = 0xffff_ffff;
const mostLinks = 18;

const fields: readonly Field[] = [
  { id: fieldIds.instantPower, column: 'power.instant', scale: milli },
  { id: fieldIds.averagePower, column: 'power.average', scale: milli },
  { id: fieldIds.memoryTemperature, column: 'temperature.memory', scale: same },
  { id: 74, column: 'throttle.time.sw_power_cap', scale: nano },
  { id: 76, column: 'throttle.time.sync_boost', scale: nano },
  { id: 269, column: 'throttle.time.sw_thermal_slowdown', scale: nano },
  { id: 270, column: 'throttle.time.hw_thermal_slowdown', scale: nano },
  { id: 271, column: 'throttle.time.hw_power_brake_slowdown', scale: nano },
  { id: fieldIds.nvlinkTransmit, column: 'nvlink.transmit', scale: kibi, scope: allLinks },
  { id: 139, column: 'nvlink.receive', scale: kibi, scope: allLinks },
];

/** nvmlFieldValue_t of nvml.h. */
const fieldBytes = 40;
const readFieldsSymbol = 'nvmlDeviceGetFieldValues';
const fieldParameters = 'uintptr_t device, int count, uintptr_t values';

/** Asks which fields a device has. Each is asked for alone: an old driver refuses the whole call for one of them. */
export function createFieldProbe({ library, device }: Handle): (id: number) => boolean {
  const call = library.find(readFieldsSymbol, fieldParameters);
  return (id) => {
    const field = fields.find((one) => one.id === id);
    if (field === undefined) return false;
    writeField(library, 0, field);
    return (
      call(device, 1, library.scratch.address) === success &&
      library.scratch.view.getInt32(28, true) === success
    );
  };
}

/** Whether one of the NVLinks of a GPU is in use. */
export function hasNvLink({ library, device }: Handle): boolean {
  const { scratch } = library;
  const call = library.find(
    'nvmlDeviceGetNvLinkState',
    'uintptr_t device, unsigned int link, uintptr_t active',
  );
  return Array.from({ length: mostLinks }, (_, link) => link).some(
    (link) => call(device, link, scratch.address) === success && scratch.u32() === 1,
  );
}

function bindFields({ library, device }: Handle, hasField: (id: number) => boolean): readonly Feature[] {
  const own = fields.filter(({ id }) => hasField(id));
  if (own.length === 0) return [];
  const call = library.find(readFieldsSymbol, fieldParameters);
  const { scratch } = library;
  const read: Feature['read'] = (values, at) => {
    for (let i = 0; i < own.length; i++) writeField(library, i, own[i]);
    const status = call(device, own.length, scratch.address);
    for (let i = 0; i < own.length; i++) {
      values[at + i] =
        status === success ? own[i].scale(readField(scratch.view, i * fieldBytes)) : Number.NaN;
    }
    return status;
  };
  return [{ name: 'fields', columns: own.map(({ column }) => column), read }];
}

function writeField({ scratch: { view } }: NvmlLibrary, index: number, { id, scope = 0 }: Field): void {
  view.setUint32(index * fieldBytes, id, true);
  view.setUint32(index * fieldBytes + 4, scope, true);
  // Where the driver leaves it as it is, there is no value.
  view.setInt32(index * fieldBytes + 28, 999, true);
}

/** The value of a field by its type, nvmlValueType_t of nvml.h; NaN: none. */
function readField(view: DataView, at: number): number {
  if (view.getInt32(at + 28, true) !== success) return Number.NaN;
  switch (view.getInt32(at + 24, true)) {
    case 0:
      return view.getFloat64(at + 32, true);
    case 1:
      return view.getUint32(at + 32, true);
    case 2:
    case 3:
      return Number(view.getBigUint64(at + 32, true));
    case 4:
      return Number(view.getBigInt64(at + 32, true));
    case 5:
      return view.getInt32(at + 32, true);
    case 6:
      return view.getUint16(at + 32, true);
    default:
      return Number.NaN;
  }
}

/** Which power it is differs by architecture: nvml.h at nvmlDeviceGetPowerUsage. */
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
      values[at] = status === success ? percent(scratch.u32()) : Number.NaN;
      values[at + 1] = status === success ? percent(scratch.u32(4)) : Number.NaN;
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

/** nvmlMemory_v2_t, whose `used` leaves out what is reserved; nvmlMemory_t of older drivers, whose `used` has it. */
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
      const total = status === success ? scratch.u64(totalAt) : Number.NaN;
      const used = status === success ? scratch.u64(usedAt) : Number.NaN;
      values[at] = total;
      values[at + 1] = used;
      values[at + 2] = used / total;
      if (isSecond) values[at + 3] = status === success ? scratch.u64(16) : Number.NaN;
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

/** Reasons why clocks are lower than they could be, by bit: nvml.h, nvmlClocksEventReason*. */
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
      for (let i = 0; i < throttleReasons.length; i++) {
        const isActive = (bits & throttleReasons[i][0]) === 0 ? 0 : 1;
        values[at + i] = status === success ? isActive : Number.NaN;
      }
      return status;
    },
  };
}

/** Errors of memory since the driver was loaded. */
function bindEcc(handle: Handle, name: string, type: number): Feature {
  const call = handle.library.find(
    'nvmlDeviceGetTotalEccErrors',
    'uintptr_t device, int type, int counter, uintptr_t count',
  );
  const { scratch } = handle.library;
  const read = () => call(handle.device, type, 0, scratch.address);
  return createFeature(`${name} ECC errors`, `errors.${name}`, read, () => scratch.u64());
}

/** An unsigned integer that a call gives. */
interface Scalar {
  readonly name: string;
  readonly column: string;
  readonly symbol: string;
  readonly scale: Scale;
  /** Where the call wants one: which of several. */
  readonly which?: number;
}

function bindScalar({ library, device }: Handle, { name, column, symbol, scale, which }: Scalar): Feature {
  const { address } = library.scratch;
  const call = library.find(symbol, which === undefined ? wholeDevice : selected);
  const read = which === undefined ? () => call(device, address) : () => call(device, which, address);
  return createFeature(name, column, read, () => scale(library.scratch.u32()));
}

function createFeature(name: string, column: string, call: () => number, take: () => number): Feature {
  return {
    name,
    columns: [column],
    read(values, at) {
      const status = call();
      values[at] = status === success ? take() : Number.NaN;
      return status;
    },
  };
}
