import { kibi, milli, nano, same, type Failure, type Feature, type Handle, type Scale } from './feature.js';
import { success, type NvmlLibrary } from './library.js';

// nvml.h, NVML_FI_DEV_*.
export const fieldIds = { memoryTemperature: 82, nvlinkTransmit: 138, averagePower: 185, instantPower: 186 };

interface Field {
  readonly id: number;
  readonly column: string;
  readonly scale: Scale;
  /** For NVLink fields: all links together. */
  readonly scope?: number;
}

const allLinks = 0xffff_ffff;

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

/**
 * Finds out which fields a device has. Each is requested separately: an old driver rejects the whole call if
 * one is unknown.
 */
export function createFieldProbe({ library, device }: Handle): (id: number) => boolean {
  const call = library.find(readFieldsSymbol, fieldParameters);
  return (id) => {
    const field = fields.find((one) => one.id === id);
    if (field === undefined) return false;
    writeField(library, 0, field);
    return (
      call(device, 1, library.scratch.address) === success && statusOf(library.scratch.view, 0) === success
    );
  };
}

/** The fields of a GPU, all read by one call. */
export function bindFields(
  { library, device }: Handle,
  hasField: (id: number) => boolean,
): readonly Feature[] {
  const own = fields.filter(({ id }) => hasField(id));
  if (own.length === 0) return [];
  const call = library.find(readFieldsSymbol, fieldParameters);
  const { scratch } = library;
  const failures: Failure[] = [];
  const read: Feature['read'] = (values, at) => {
    failures.length = 0;
    for (const [i, field] of own.entries()) writeField(library, i, field);
    const status = call(device, own.length, scratch.address);
    for (const [i, { scale, column }] of own.entries()) {
      values[at + i] = status === success ? scale(readField(scratch.view, i * fieldBytes)) : NaN;
      if (status !== success) continue;
      const reason = statusOf(scratch.view, i * fieldBytes);
      if (reason !== success) failures.push([column, reason]);
    }
    if (failures.length < own.length) return status;
    // Then nothing was read.
    const [[, reason] = ['', status]] = failures.splice(0);
    return reason;
  };
  return [{ name: 'fields', columns: own.map(({ column }) => column), read, failures }];
}

function writeField({ scratch: { view } }: NvmlLibrary, index: number, { id, scope = 0 }: Field): void {
  view.setUint32(index * fieldBytes, id, true);
  view.setUint32(index * fieldBytes + 4, scope, true);
  // A status that the driver does not overwrite means that there is no value.
  view.setInt32(index * fieldBytes + 28, 999, true);
}

/** Each field has a return code of its own. */
function statusOf(view: DataView, at: number): number {
  return view.getInt32(at + 28, true);
}

/** The value of a field according to its type, nvmlValueType_t of nvml.h; NaN: none. */
function readField(view: DataView, at: number): number {
  if (statusOf(view, at) !== success) return NaN;
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
      return NaN;
  }
}
