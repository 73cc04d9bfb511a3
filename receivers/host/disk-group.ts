import { existsSync } from 'node:fs';
import type { KeptFile } from '../../src/linux/kept-file.js';
import { findNames } from '../../src/linux/sysfs.js';
import { ATTR_DISK_IO_DIRECTION, ATTR_SYSTEM_DEVICE } from '../../src/model/semantic-conventions.js';
import type { Metric } from '../../src/model/series.js';
import { diskIoTime } from '../../src/model/usage-metrics.js';
import type { CounterColumn, DescribeCounters } from '../../src/scraping/counter-table.js';
import { Counts } from '../../src/scraping/counts.js';
import { createNameFilter, forEachLine, requireLines } from '../../src/scraping/lines.js';
import type { DescribeSource } from '../../src/scraping/source.js';
import type { Config } from './config.js';

const io: Metric = {
  name: 'system.disk.io',
  unit: 'By',
  description: 'Bytes read from and written to a block device',
  kind: 'counter',
  valueType: 'int',
};
const operations: Metric = {
  name: 'system.disk.operations',
  unit: '{operation}',
  description: 'Completed reads and writes of a block device',
  kind: 'counter',
  valueType: 'int',
};
const merged: Metric = {
  name: 'system.disk.merged',
  unit: '{operation}',
  description: 'Reads and writes that were merged with others before they reached the device',
  kind: 'counter',
  valueType: 'int',
};
const operationTime: Metric = {
  name: 'system.disk.operation_time',
  unit: 's',
  description: 'Time that reads and writes took, summed over concurrent operations',
  kind: 'counter',
  valueType: 'double',
};
export const diskMetrics = [io, operations, merged, operationTime, diskIoTime];

const bytesPerSector = 512;
const msPerSecond = 1000;

interface DiskColumn extends Omit<CounterColumn, 'attributes'> {
  /** Position among the numbers after a device's name in `/proc/diskstats`. */
  readonly field: number;
  readonly direction?: 'read' | 'write';
}

// The kernel adds up per-CPU counts without stopping the CPUs, so a reading may be slightly below the last.
const mayFall = msPerSecond;

// Milliseconds are 32 bits in the kernel: 49 days of a disk that is always busy.
const columns: readonly DiskColumn[] = [
  { metric: operations, field: 0, direction: 'read', perUnit: 1 },
  { metric: merged, field: 1, direction: 'read', perUnit: 1 },
  { metric: io, field: 2, direction: 'read', perUnit: 1 / bytesPerSector },
  { metric: operationTime, field: 3, direction: 'read', perUnit: msPerSecond, wraps: true, mayFall },
  { metric: operations, field: 4, direction: 'write', perUnit: 1 },
  { metric: merged, field: 5, direction: 'write', perUnit: 1 },
  { metric: io, field: 6, direction: 'write', perUnit: 1 / bytesPerSector },
  { metric: operationTime, field: 7, direction: 'write', perUnit: msPerSecond, wraps: true, mayFall },
  { metric: diskIoTime, field: 9, perUnit: msPerSecond, wraps: true, mayFall },
];

/** Numbers that every kernel since 2.6 has per device. */
const fields = 11;

/** The contents of `/proc/diskstats`. */
export function describeDisk(config: Config): DescribeSource {
  return (source) => {
    const file = source.file(`${config.procfs}/diskstats`);
    const counters = source.counters(createDescription(config));
    const read = new Counts(fields);
    const used = new Counts(columns.length);
    /** Adds the device of a line `254 0 vda 87437 24214 ...`; other lines are ignored. */
    const addLine = (line: Buffer): void => {
      // Latin-1 preserves byte offsets, since UTF-8 names have more bytes than characters.
      const named = /^( *\d+ +\d+ )([^ ]+) /u.exec(line.toString('latin1'));
      if (named === null || read.parse(line, named[0].length) < fields) return;
      columns.forEach(({ field }, i) => used.copy(i, read, field));
      const [, numbers = '', name = ''] = named;
      counters.add(line.toString('utf8', numbers.length, numbers.length + name.length), used);
    };
    return (at) => {
      counters.begin(at);
      const lines = findLines(file, config.sysfs);
      if (lines) forEachLine(lines, addLine);
      return [counters.finish()];
    };
  };
}

/** @returns undefined if the file is empty because the kernel has no block device, as after a boot from the network */
function findLines(file: KeptFile, sysfs: string): Buffer | undefined {
  try {
    return requireLines(file, 'block devices', isDiskstats);
  } catch (error) {
    const devices = `${sysfs}/class/block`;
    if (existsSync(devices) && findNames(devices).length === 0) return undefined;
    throw error;
  }
}

function isDiskstats(text: Buffer): boolean {
  return /^ *\d+ +\d+ [^ ]+ \d/u.test(text.toString('latin1', 0, 300));
}

function createDescription({ disk, sysfs }: Config): DescribeCounters {
  const isWanted = createNameFilter(disk);
  return (name) => {
    if (!isWanted(name)) return undefined;
    const isPartition = existsSync(`${sysfs}/class/block/${name.replaceAll('/', '!')}/partition`);
    return isPartition && !disk.partitions ? undefined : describeDevice(name);
  };
}

function describeDevice(name: string): readonly CounterColumn[] {
  return columns.map((column) => {
    const direction = column.direction === undefined ? {} : { [ATTR_DISK_IO_DIRECTION]: column.direction };
    return Object.assign({ attributes: { [ATTR_SYSTEM_DEVICE]: name, ...direction } }, column);
  });
}
