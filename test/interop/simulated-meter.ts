import { closeSync, openSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { setInterval } from 'node:timers';
import { createFakeSysfs } from '../../receivers/rapl/fake-sysfs.fixture.js';

/** A simulated RAPL package with its memory, in place of those of this machine. */
export interface Meter {
  readonly sysfs: string;
  /** Joules that the package has used since `run`. */
  joules(): number;
  /** Starts both counters. */
  run(): void;
  /** Stops both counters. */
  rest(): void;
}

const restingWatts = 5;
const stepMs = 50;

/** Of equal length: a counter that is overwritten is never seen incomplete. */
const counterText = (microjoules: number) => `${String(Math.floor(microjoules)).padStart(13, '0')}\n`;

/** A meter that ends with the test. */
export function createMeter(t: TestContext): Meter {
  const sysfs = createFakeSysfs(t);
  const started = 5_000_000;
  let microjoules = started;
  let timer: NodeJS.Timeout | undefined;
  const rest = () => clearInterval(timer);
  t.after(rest);
  const openZone = (path: string, name: string, share: number) => {
    sysfs.writeZone(path, { name, microjoules: counterText(started * share) });
    const file = openSync(join(sysfs.root, 'class/powercap', path, 'energy_uj'), 'r+');
    t.after(() => closeSync(file));
    return () => void writeSync(file, counterText(microjoules * share), 0);
  };
  const zones = [
    openZone('intel-rapl:0', 'package-0', 1),
    openZone('intel-rapl:0/intel-rapl:0:0', 'dram', 1 / 8),
  ];
  return {
    sysfs: sysfs.root,
    joules: () => (microjoules - started) / 1e6,
    rest,
    run() {
      rest();
      timer = setInterval(() => {
        microjoules += restingWatts * stepMs * 1000;
        for (const write of zones) write();
      }, stepMs);
    },
  };
}
