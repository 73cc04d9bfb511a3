import type { Resource, Series } from '../../src/model/series.js';
import { createRow, type Table } from '../../src/model/table.js';
import { localMemoryTraffic, memoryTraffic, memoryTrafficMember } from '../../src/model/usage-metrics.js';
import { unixNs, type RigProcess } from './rig.fixture.js';

const host: Resource = { attributes: { 'host.name': 'rig' } };

/** A counter of `perf` events. @param of a process or a cgroup; undefined: the machine */
export function createEvent(name: string, of?: RigProcess | Series, startS = 0): Series {
  return {
    metric: {
      name: 'perf.event.count',
      unit: '{event}',
      description: '',
      kind: 'counter',
      valueType: 'double',
    },
    resource: of?.resource ?? host,
    attributes: { 'perf.event.name': name },
    start: unixNs(startS),
  };
}

/** A counter of the bytes of a resctrl group on a package. */
export function createTraffic(group: string, cpuPackage: number, startS = 0, isLocal = false): Series {
  return {
    metric: isLocal ? localMemoryTraffic : memoryTraffic,
    resource: host,
    attributes: { 'linux.resctrl.group': group, 'cpu.package': cpuPackage },
    start: unixNs(startS),
  };
}

/** The membership of a process in a resctrl group. @param pid undefined: the group may also contain other processes */
export function createMember(group: string, pid?: number): Series {
  const attributes = { 'linux.resctrl.group': group, ...(pid !== undefined && { 'process.pid': pid }) };
  return { metric: memoryTrafficMember, resource: host, attributes, start: unixNs(0) };
}

/** Readings of several counters at one instant. */
export function createCounts(atS: number, cells: readonly (readonly [Series, number])[]): Table {
  const series = cells.map(([one]) => one);
  return createRow(
    series,
    unixNs(atS),
    Float64Array.from(cells, ([, value]) => value),
  );
}
