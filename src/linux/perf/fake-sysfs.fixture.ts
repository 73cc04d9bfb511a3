import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { createFolder } from '../../testing/temporary-folder.fixture.js';

/** File contents by path below `bus/event_source/devices`. */
export type FakePmus = Readonly<Record<string, string>>;

/** A server with one kind of cores, memory controllers and energy events. */
export const serverPmus: FakePmus = {
  'cpu/type': '4',
  'cpu/format/event': 'config:0-7',
  'cpu/format/umask': 'config:8-15',
  'cpu/format/edge': 'config:18',
  'cpu/format/inv': 'config:23',
  'cpu/format/cmask': 'config:24-31',
  'cpu/format/ldlat': 'config1:0-15',
  'cpu/format/offcore_rsp': 'config1:0-63',
  'cpu/format/split': 'config:0-3,32-35',
  'cpu/events/cpu-cycles': 'event=0x3c',
  'cpu/events/mem-loads': 'event=0xcd,umask=0x1,ldlat=3',
  'cpu/events/topdown-bad': 'event=0xa4,umask=0x2,cmask=1',
  'cpu/events/needs-number': 'event=0x1,umask=?',
  'uncore_imc_0/type': '12',
  'uncore_imc_0/cpumask': '0',
  'uncore_imc_0/format/event': 'config:0-7',
  'uncore_imc_0/format/umask': 'config:8-15',
  'uncore_imc_0/events/cas_count_read': 'event=0x04,umask=0x03',
  'uncore_imc_0/events/cas_count_read.scale': '6.103515625e-5',
  'uncore_imc_0/events/cas_count_read.unit': 'MiB',
  'uncore_imc_1/type': '13',
  'uncore_imc_1/cpumask': '0',
  'uncore_imc_1/format/event': 'config:0-7',
  'uncore_imc_1/format/umask': 'config:8-15',
  'uncore_imc_1/events/cas_count_read': 'event=0x04,umask=0x03',
  'uncore_imc_1/events/cas_count_read.scale': '6.103515625e-5',
  'uncore_imc_1/events/cas_count_read.unit': 'MiB',
  'arm_cmn/type': '14',
  'arm_cmn/format/far': 'config2:4-7',
  'power/type': '9',
  'power/cpumask': '0',
  'power/format/event': 'config:0-7',
  'power/events/energy-pkg': 'event=0x02',
  'power/events/energy-pkg.scale': '2.3283064365386962890625e-10',
  'power/events/energy-pkg.unit': 'Joules',
  'intel_cqm/type': '15',
  'intel_cqm/format/event': 'config:0-7',
  'intel_cqm/events/llc_occupancy': 'event=0x01',
  'intel_cqm/events/llc_occupancy.snapshot': '1',
};

/** A laptop with two kinds of cores. */
export const hybridPmus: FakePmus = {
  'cpu_core/type': '4',
  'cpu_core/cpus': '0-3',
  'cpu_core/format/event': 'config:0-7',
  'cpu_core/events/mem-stores': 'event=0xcd,umask=0x2',
  'cpu_core/format/umask': 'config:8-15',
  'cpu_atom/type': '10',
  'cpu_atom/cpus': '4-7',
  'cpu_atom/format/event': 'config:0-7',
  'cpu_atom/format/umask': 'config:8-15',
  'cpu_atom/events/mem-stores': 'event=0xd0,umask=0x6',
};

/** Creates a fake sysfs. */
export function createFakePmus(pmus: FakePmus): string {
  const root = createFolder();
  for (const [path, text] of Object.entries(pmus)) {
    const file = join(root, 'bus/event_source/devices', path);
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, `${text}\n`);
  }
  return root;
}
