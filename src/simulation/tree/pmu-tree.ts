import type { MachineSpec } from '../machine-spec.js';
import { writeFiles, writeLinks } from './tree-file.js';

/**
 * A stand-in for the kernel's `power` PMU. Its one event is the software event cpu-clock, since files cannot count for
 * perf_event_open: it grows by 1e9 a second, which reads as 0.2328 W. So perf tools find an energy counter that works,
 * though not the machine's own.
 */
export function writePmu(sys: string, { sockets, cpusPerSocket }: MachineSpec): void {
  const leads = Array.from({ length: sockets }, (_, socket) => socket * cpusPerSocket);
  writeFiles(`${sys}/devices/power`, {
    type: '1\n',
    cpumask: `${leads.join(',')}\n`,
    'format/event': 'config:0-7\n',
    'events/energy-pkg': 'event=0x00\n',
    'events/energy-pkg.scale': '2.3283064365386962890625e-10\n',
    'events/energy-pkg.unit': 'Joules\n',
  });
  writeLinks(`${sys}/bus/event_source/devices`, { power: '../../../devices/power' });
}
