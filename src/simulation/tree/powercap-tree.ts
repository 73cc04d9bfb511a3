import { mkdirSync, rmSync, unlinkSync } from 'node:fs';
import type { EnergySensor } from '../energy-sensor.js';
import type { MachineSpec } from '../machine-spec.js';
import { TreeFile, writeFiles, writeLinks } from './tree-file.js';

const root = 'devices/virtual/powercap/intel-rapl';

interface Zone {
  readonly sensor: EnergySensor;
  /** `intel-rapl:0:1` */
  readonly name: string;
  /** Its folder, below `sys`. */
  readonly folder: string;
}

/** The RAPL zones in the kernel's layout: below `devices`, with a link to each from `class/powercap`. */
export class PowercapTree {
  readonly #sys: string;
  readonly #zones: readonly Zone[];
  readonly #files = new Map<Zone, TreeFile>();

  /** @param sys the folder used as /sys */
  constructor(sys: string, sensors: readonly EnergySensor[]) {
    this.#sys = sys;
    this.#zones = listZones(sensors);
    writeFiles(`${sys}/${root}`, { enabled: '1\n', uevent: '' });
    writeLinks(`${sys}/class/powercap`, { 'intel-rapl': `../../${root}` });
  }

  /** Writes the sensor values at an instant of simulated time, in microseconds. */
  write(us: number): void {
    for (const zone of this.#zones) {
      if (zone.sensor.isHere(us)) this.#openFile(zone).write(readPadded(zone.sensor, us));
      else this.#remove(zone);
    }
  }

  close(): void {
    for (const file of this.#files.values()) file.close();
    this.#files.clear();
  }

  #openFile(zone: Zone): TreeFile {
    const known = this.#files.get(zone);
    if (known !== undefined) return known;
    const folder = `${this.#sys}/${zone.folder}`;
    mkdirSync(folder, { recursive: true });
    writeFiles(folder, describeZone(zone.sensor));
    // The kernel's file mode since CVE-2020-8694.
    const file = new TreeFile(`${folder}/energy_uj`, 0o400);
    writeLinks(`${this.#sys}/class/powercap`, { [zone.name]: `../../${zone.folder}` });
    this.#files.set(zone, file);
    return file;
  }

  /** A kept descriptor reads nothing from then on. */
  #remove(zone: Zone): void {
    const file = this.#files.get(zone);
    if (file === undefined) return;
    file.write('');
    file.close();
    this.#files.delete(zone);
    unlinkSync(`${this.#sys}/class/powercap/${zone.name}`);
    // The zones inside exist as before, or are removed by themselves.
    for (const name of [...Object.keys(describeZone(zone.sensor)), 'energy_uj']) {
      rmSync(`${this.#sys}/${zone.folder}/${name}`);
    }
  }
}

/**
 * A text of constant width, by leading zeros: what is written over it has its line end at the same place. A read that
 * fails cannot be had from a file: it gives nothing.
 */
function readPadded(sensor: EnergySensor, us: number): string {
  const text = sensor.readText(us) ?? '';
  return text.endsWith('\n') ? text.padStart(String(sensor.maxMicrojoules).length + 1, '0') : text;
}

function listZones(sensors: readonly EnergySensor[]): Zone[] {
  const zones: Zone[] = [];
  let top = -1;
  let part = 0;
  for (const sensor of sensors) {
    const { kind } = sensor.domain;
    if (kind === 'gpu') continue;
    const isWhole = kind === 'package' || kind === 'psys';
    if (isWhole) top++;
    part = isWhole ? 0 : part + 1;
    const whole = `intel-rapl:${top}`;
    const name = isWhole ? whole : `${whole}:${part - 1}`;
    zones.push({ sensor, name, folder: isWhole ? `${root}/${whole}` : `${root}/${whole}/${name}` });
  }
  return zones;
}

function describeZone({ domain, maxMicrojoules }: EnergySensor): Record<string, string> {
  const title = domain.kind === 'package' ? domain.name : domain.kind;
  const files = {
    name: `${title}\n`,
    max_energy_range_uj: `${maxMicrojoules}\n`,
    enabled: '1\n',
    uevent: '',
  };
  return domain.kind === 'package' ? { ...files, ...packageLimits } : files;
}

const packageLimits = {
  constraint_0_name: 'long_term\n',
  constraint_0_max_power_uw: '205000000\n',
  constraint_0_power_limit_uw: '205000000\n',
  constraint_0_time_window_us: '999424\n',
  constraint_1_name: 'short_term\n',
  constraint_1_max_power_uw: '376000000\n',
  constraint_1_power_limit_uw: '246000000\n',
  constraint_1_time_window_us: '7808\n',
};

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
