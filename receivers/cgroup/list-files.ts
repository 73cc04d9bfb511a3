import type { DescriptorBudget } from '../../src/linux/budgeted-file.js';
import type { CgroupFolder } from '../../src/linux/cgroup/tree.js';
import type { CpuPackages } from '../../src/linux/cpu-packages.js';
import { Counts } from '../../src/scraping/counts.js';
import { describeStalls, parsePressure } from '../../src/scraping/pressure.js';
import type { Config } from './config.js';
import { CpuStat, createThrottling } from './cpu-files.js';
import { Cpuacct } from './cpuacct.js';
import type { FileParser } from './file-reader.js';
import { createBlkio, createIoStat, type DeviceNames } from './io-files.js';
import {
  createMemory,
  createMemoryEvents,
  createMemoryKinds,
  createSingle,
  limitFiles,
} from './memory-files.js';
import {
  cgroupNames,
  containerNames,
  diskOperations,
  pidsLimit,
  pidsUsage,
  pressureTime,
  swapLimit,
  swapUsage,
} from './metrics.js';
import { CounterSlot } from './slots.js';

/** Options for listing the files of a cgroup. */
export interface ListOptions {
  readonly metrics: Config['metrics'];
  readonly budget: DescriptorBudget;
  readonly devices: DeviceNames;
  /** The packages by which CPU time is divided, on a machine with more than one. */
  readonly packages: CpuPackages | undefined;
  /** Whether this is the cgroup of a container, not one inside a container. */
  readonly isContainer: boolean;
}

/** The file with the CPU time of a cgroup in one hierarchy, if the hierarchy has one. */
export function findCpuFile(
  { hierarchy, folder }: CgroupFolder,
  options: ListOptions,
): FileParser | undefined {
  const { metrics, isContainer } = options;
  if (!metrics.cpu) return undefined;
  if (hierarchy.version === 2) return new CpuStat(isContainer);
  return hierarchy.controllers.includes('cpuacct') ? new Cpuacct(folder, options) : undefined;
}

/** The other files that a cgroup can have in one hierarchy. Not every cgroup has all of them. */
export function listDetailFiles({ hierarchy }: CgroupFolder, options: ListOptions): readonly FileParser[] {
  if (hierarchy.version === 2) return listUnified(options);
  const lists = hierarchy.controllers.map((name) => listByController.get(name)?.(options) ?? []);
  return lists.flat();
}

const namesOf = ({ isContainer }: ListOptions) => (isContainer ? containerNames : cgroupNames);

function listUnified(options: ListOptions): readonly FileParser[] {
  const { metrics, devices } = options;
  return [
    ...(metrics.memory ? listMemory(options) : []),
    ...(metrics.memory_details ? [createMemoryKinds(2)] : []),
    ...(metrics.io ? [createIoStat(namesOf(options), devices)] : []),
    ...(metrics.pids ? listPids() : []),
    ...(metrics.pressure ? listPressure() : []),
  ];
}

function listMemory(options: ListOptions): readonly FileParser[] {
  return [
    ...createMemory(2, namesOf(options)),
    createSingle(limitFiles[2].file, limitFiles[2].metric),
    createSingle('memory.swap.current', swapUsage),
    createSingle('memory.swap.max', swapLimit),
    createMemoryEvents('memory.events', ['oom', 'oom_kill']),
  ];
}

function listMemoryOfFirst(options: ListOptions): readonly FileParser[] {
  return [
    ...createMemory(1, namesOf(options)),
    createSingle(limitFiles[1].file, limitFiles[1].metric),
    createMemoryEvents('memory.oom_control', ['oom_kill']),
  ];
}

function listPids(): readonly FileParser[] {
  return [createSingle('pids.current', pidsUsage), createSingle('pids.max', pidsLimit)];
}

const stallTypes: readonly (readonly [resource: string, types: readonly string[]])[] = [
  ['cpu', ['some', 'full']],
  ['memory', ['some', 'full']],
  ['io', ['some', 'full']],
  ['irq', ['full']],
];

function listPressure(): readonly FileParser[] {
  return stallTypes.map(([resource, types]) => {
    const slot = new CounterSlot(describeStalls(pressureTime, resource, types));
    const totals = new Counts(types.length);
    return {
      file: `${resource}.pressure`,
      slots: [slot],
      parse(text, length, scope) {
        if (parsePressure(text.subarray(0, length), types, totals) !== undefined) return false;
        slot.update(totals, scope);
        return true;
      },
    };
  });
}

type ListFiles = (options: ListOptions) => readonly FileParser[];

const listByController: ReadonlyMap<string, ListFiles> = new Map<string, ListFiles>([
  ['cpu', ({ metrics }) => (metrics.cpu ? [createThrottling()] : [])],
  [
    'memory',
    (options) => [
      ...(options.metrics.memory ? listMemoryOfFirst(options) : []),
      ...(options.metrics.memory_details ? [createMemoryKinds(1)] : []),
    ],
  ],
  [
    'blkio',
    (options) =>
      options.metrics.io
        ? [
            createBlkio(
              'blkio.throttle.io_service_bytes_recursive',
              namesOf(options).diskIo,
              options.devices,
            ),
            createBlkio('blkio.throttle.io_serviced_recursive', diskOperations, options.devices),
          ]
        : [],
  ],
  ['pids', ({ metrics }) => (metrics.pids ? listPids() : [])],
]);
