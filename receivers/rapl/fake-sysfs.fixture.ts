import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { createFolder } from '../../src/testing/temporary-folder.fixture.js';

interface FakeZone {
  readonly name: string;
  readonly microjoules: number | string;
  readonly maxMicrojoules?: number | string;
}

/** A fake sysfs for tests, which write what the kernel would. */
export class FakeSysfs {
  readonly root = createFolder();

  write(path: string, text: string): void {
    const file = join(this.root, path);
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, text);
  }

  /** @param path below `class/powercap`: `intel-rapl:0` */
  writeZone(path: string, { name, microjoules, maxMicrojoules = 262_143_328_850 }: FakeZone): void {
    this.write(`class/powercap/${path}/name`, `${name}\n`);
    this.write(`class/powercap/${path}/max_energy_range_uj`, `${maxMicrojoules}\n`);
    this.writeEnergy(path, microjoules);
  }

  /** A text is written as it is: incomplete, empty or garbage. */
  writeEnergy(path: string, microjoules: number | string): void {
    const text = typeof microjoules === 'number' ? `${microjoules}\n` : microjoules;
    this.write(`class/powercap/${path}/energy_uj`, text);
  }

  /** The PMU of AMD's cores. */
  writeCorePmu(cpumask: string, config = 'event=0x01', type = 24): void {
    const folder = 'bus/event_source/devices/power_core';
    this.write(`${folder}/type`, `${type}\n`);
    this.write(`${folder}/cpumask`, `${cpumask}\n`);
    this.write(`${folder}/events/energy-core`, `${config}\n`);
    this.write(`${folder}/events/energy-core.scale`, '2.3283064365386962890625e-10\n');
    this.write(`${folder}/events/energy-core.unit`, 'Joules\n');
  }

  /** The `power` PMU; with type 1 and `event=0x00` it is the kernel's cpu-clock, which reads 0.2328 W. */
  writePmu(events: Readonly<Record<string, string>>, cpumask = '0', type = 1): void {
    const folder = 'bus/event_source/devices/power';
    this.write(`${folder}/type`, `${type}\n`);
    this.write(`${folder}/cpumask`, `${cpumask}\n`);
    for (const [event, config] of Object.entries(events)) {
      this.write(`${folder}/events/${event}`, `${config}\n`);
      this.write(`${folder}/events/${event}.scale`, '2.3283064365386962890625e-10\n');
      this.write(`${folder}/events/${event}.unit`, 'Joules\n');
    }
  }

  /** The packages and dies of CPUs, as `package.die`. */
  writeCpus(places: Readonly<Record<number, string>>): void {
    for (const [cpu, place] of Object.entries(places)) {
      const [packageId, die] = place.split('.');
      this.write(`devices/system/cpu/cpu${cpu}/topology/physical_package_id`, `${packageId}\n`);
      this.write(`devices/system/cpu/cpu${cpu}/topology/die_id`, `${die}\n`);
    }
  }

  writeAmd(): void {
    this.write('devices/system/cpu/modalias', 'cpu:type:x86,ven0002fam0019mod0001:feature:,0000,0001\n');
  }

  remove(path: string): void {
    rmSync(join(this.root, path), { recursive: true, force: true });
  }
}

/** A fake sysfs that is removed when the test ends. */
export function createFakeSysfs(test: { after(callback: () => void): void }): FakeSysfs {
  const sysfs = new FakeSysfs();
  test.after(() => sysfs.remove('.'));
  return sysfs;
}
