import type { DeviceRow, ProcessMemory, ProcessSample, ProcessUsage } from '../../src/gpu/protocol.js';
import { findOrAdd } from '../../src/model/plan.js';
import type { DeviceReader } from './device-reader.js';
import { success, type NvmlLibrary } from './library.js';

/**
 * Values for the profile of `nvmlDeviceGetGpuInstanceProfileInfo`: NVML_GPU_INSTANCE_PROFILE_1_SLICE to
 * _6_SLICE in nvml.h.
 */
const sizeProfiles = [0, 1, 2, 3, 4, 5, 6];

/** The handles of the MIG instances of a GPU. */
export function listInstances(library: NvmlLibrary, device: number): readonly number[] {
  const { scratch } = library;
  const mode = library.find('nvmlDeviceGetMigMode', 'uintptr_t device, uintptr_t current, uintptr_t pending');
  if (mode(device, scratch.address, scratch.address + 4) !== success || scratch.u32() !== 1) return [];
  const maxCount = library.readNumber('nvmlDeviceGetMaxMigDeviceCount', device) ?? 0;
  const find = library.find(
    'nvmlDeviceGetMigDeviceHandleByIndex',
    'uintptr_t device, unsigned int index, uintptr_t instance',
  );
  return Array.from({ length: Math.min(maxCount, 64) }, (_, index) => index).flatMap((index) =>
    find(device, index, scratch.address) === success ? [scratch.u64()] : [],
  );
}

/**
 * The SMs of a MIG instance, and of the GPU instance that it is a part of; 0: unknown. NVML has the latter only as a
 * number of slices.
 */
export function countSms(
  library: NvmlLibrary,
  instance: number,
): Pick<Slice, 'smCount' | 'gpuInstanceSmCount'> {
  const { scratch } = library;
  const read = library.find('nvmlDeviceGetAttributes_v2', 'uintptr_t device, uintptr_t attributes');
  // The fields of nvmlDeviceAttributes_t: SMs, five others, slices of the GPU instance and of the compute instance.
  scratch.bytes.fill(0, 0, 40);
  if (read(instance, scratch.address) !== success) return { smCount: 0, gpuInstanceSmCount: 0 };
  const [smCount, gpuSlices, computeSlices] = [scratch.u32(), scratch.u32(24), scratch.u32(28)];
  const isPart = computeSlices > 0 && gpuSlices > computeSlices;
  return { smCount, gpuInstanceSmCount: isPart ? (smCount * gpuSlices) / computeSlices : smCount };
}

/** The number of SMs that a GPU in MIG mode can assign to instances: those of its largest profile. 0: unknown. */
export function countUsableSms(library: NvmlLibrary, device: number): number {
  const { scratch } = library;
  const read = library.find(
    'nvmlDeviceGetGpuInstanceProfileInfo',
    'uintptr_t device, unsigned int profile, uintptr_t info',
  );
  // multiprocessorCount is the fifth field of nvmlGpuInstanceProfileInfo_t.
  const counts = sizeProfiles.map((profile) =>
    read(device, profile, scratch.address) === success ? scratch.u32(16) : 0,
  );
  return Math.max(...counts);
}

/** A MIG instance: a compute instance, which has a part of the SMs of its GPU instance. */
export interface Slice {
  readonly reader: DeviceReader;
  readonly gpuInstance: number;
  readonly smCount: number;
  readonly gpuInstanceSmCount: number;
}

/** The readings of the instances of a GPU, and the part of the GPU that they used in total. */
export interface MigReading {
  readonly rows: readonly DeviceRow[];
  readonly total: ProcessUsage | undefined;
}

type Use = Pick<ProcessUsage, 'samples' | 'unseen'>;

const nothing: Use = { samples: [], unseen: 0 };

/** One instance at one reading. */
interface Part {
  readonly slice: Slice;
  readonly row: DeviceRow;
  use: Use;
}

/**
 * Determines the processes that use the instances of a GPU, and the part of the GPU that each uses. In MIG
 * mode, NVML has no utilization samples of processes, but the SM utilization of each GPU instance (GPM, Hopper
 * and newer).
 */
export class MigUsage {
  readonly #slices: readonly Slice[];
  readonly #smCount: number;
  #fromNs: bigint | undefined;

  /** @param usableSms of the whole GPU; 0: unknown */
  constructor(slices: readonly Slice[], usableSms: number) {
    this.#slices = slices;
    this.#smCount = Math.max(usableSms, sum(slices.map(({ smCount }) => smCount)));
  }

  /** Continues the window of the same instances, if they are the same. */
  continueFrom(before: MigUsage): void {
    const known = new Set(before.#slices.map(({ reader }) => reader.device.id));
    const isSame = this.#slices.every(({ reader }) => known.has(reader.device.id));
    if (isSame && known.size === this.#slices.length) this.#fromNs = before.#fromNs;
  }

  /**
   * Reads all instances. Their profiling counters are read at the same time, so that all have the same window;
   * otherwise none are read.
   */
  read(readDevice: (reader: DeviceReader, hasProfile: boolean) => DeviceRow): MigReading {
    const isDue = this.#slices.every(({ reader }) => reader.lostBy !== undefined || reader.isProfileDue);
    const parts = this.#slices.map((slice): Part => {
      return { slice, row: readDevice(slice.reader, isDue), use: nothing };
    });
    const toNs = process.hrtime.bigint();
    const fromNs = this.#fromNs ?? toNs;
    // The first reading starts the window, and returns an empty one.
    const isFirst = this.#fromNs === undefined;
    if (!isDue && !isFirst) return { rows: parts.map(({ row }) => row), total: undefined };
    this.#fromNs = toNs;
    if (!isFirst) this.#divide(parts);
    return {
      rows: parts.map(({ row, use }) => Object.assign(row, { usage: { ...use, fromNs, toNs } })),
      total: { samples: [], unseen: sum(parts.map(({ use }) => sumPercent(use))), fromNs, toNs },
    };
  }

  /** Computes the use of each instance, in percent of the SMs of the GPU. */
  #divide(parts: readonly Part[]): void {
    const groups = new Map<number, Part[]>();
    for (const part of parts) findOrAdd(groups, part.slice.gpuInstance, () => []).push(part);
    for (const group of groups.values()) this.#divideGpuInstance(group);
  }

  /** Divides the counters of a GPU instance among its compute instances that have processes. */
  #divideGpuInstance(group: readonly Part[]): void {
    const share = group.map(readShare).find((one) => one >= 0 && one <= 1);
    // If the utilization is unknown, the instance is counted as fully used by unknown processes, so that no
    // other instance is charged for its energy.
    // The utilization is that of all SMs of the GPU instance, whether or not a compute instance has them.
    const all = Math.max(countAll(group), ...group.map(({ slice }) => slice.gpuInstanceSmCount));
    const percent = (100 * (share ?? 1) * all) / this.#smCount;
    const usersOf = ({ row }: Part) => (share === undefined ? [] : listUsers(row.memory));
    const used = group.filter((part) => usersOf(part).length > 0);
    const users = used.length > 0 ? used : group;
    for (const part of users) {
      part.use = divide((percent * part.slice.smCount) / countAll(users), usersOf(part));
    }
  }
}

function countAll(parts: readonly Part[]): number {
  return sum(parts.map(({ slice }) => slice.smCount));
}

/** The SM utilization of a GPU instance; NaN: it could not be read. */
function readShare({ slice, row }: Part): number {
  return row.profile?.[findUseColumn(slice.reader)] ?? NaN;
}

/** The column with the SM utilization of an instance; -1: it has none. */
export function findUseColumn({
  device: { profileColumns },
}: {
  readonly device: Pick<DeviceReader['device'], 'profileColumns'>;
}): number {
  const busy = profileColumns.indexOf('sm.utilization');
  return busy >= 0 ? busy : profileColumns.indexOf('graphics.utilization');
}

/**
 * The processes that can use an instance. With MPS, these are the clients, not the MPS server that executes
 * their work.
 */
function listUsers(memory: readonly ProcessMemory[] = []): readonly number[] {
  const clients = memory.filter(({ context }) => context === 'mps');
  return [...new Set((clients.length > 0 ? clients : memory).map(({ pid }) => pid))];
}

/** Divides equally among the processes of an instance, which the driver does not distinguish. */
function divide(percent: number, pids: readonly number[]): Use {
  if (pids.length === 0) return { samples: [], unseen: percent };
  const general = percent / pids.length;
  return { samples: pids.map((pid): ProcessSample => ({ pid, shares: { general } })), unseen: 0 };
}

function sumPercent({ samples, unseen }: Use): number {
  return unseen + sum(samples.map(({ shares }) => shares.general ?? 0));
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0);
}
