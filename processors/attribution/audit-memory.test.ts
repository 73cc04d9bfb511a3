import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import { createLogCollector } from '../../src/component/fakes.js';
import { parseSettings } from '../../src/config/settings.js';
import { CpuCount } from '../../src/energy/floor-learner.js';
import { FloorStore } from '../../src/energy/floor-store.js';
import type { Table } from '../../src/model/table.js';
import { createFolder } from '../../src/testing/temporary-folder.fixture.js';
import { UsageTick } from '../../src/usage/usage.js';
import { View } from '../../src/usage/view.js';
import { findViews } from '../../src/usage/views.js';
import { AuditFile } from './audit-file.js';
import { SheetWriter, type Ended, type SettledWindow } from './audit-sheet.js';
import { confirm, linesOf } from './audit.fixture.js';
import { schema } from './config.js';
import { Ledger } from './ledger.js';
import { playSecond, Rig, RigProcess, unixNs } from './rig.fixture.js';

const log = createLogCollector();

/** A rig whose ledger writes its sheets immediately. */
class AuditedRig extends Rig {
  readonly writer = new SheetWriter();
  /** The largest number of workloads and groups that the writer knew. */
  most = 0;
  readonly lines: string[] = [];
  readonly settled: SettledWindow[] = [];
  readonly #ledger: Ledger;

  constructor() {
    super();
    const config = parseSettings(schema, { views: ['process', 'program', 'cgroup'] });
    const cpuCount = new CpuCount(2);
    const options = {
      config,
      floors: new FloorStore(config, cpuCount, log),
      calibrations: new Map(),
      views: findViews(config).map((definition) => new View(definition, 0)),
      cpuCount,
      id: 'audited',
      tick: new UsageTick(),
      epoch: unixNs(0),
      audit: (settled: SettledWindow) => {
        this.settled.push(settled);
        this.lines.push(...this.writer.write(settled).trimEnd().split('\n'));
        this.most = Math.max(this.most, this.writer.size);
      },
      forget: (ended: Ended) => this.writer.forget(ended),
    };
    this.#ledger = new Ledger(options, log);
  }

  override consume(table: Table): void {
    this.#ledger.consume(table);
  }
}

test('SheetWriter forgets workloads and groups that have ended, and its sheets can be recomputed', () => {
  const rig = new AuditedRig();
  const meter = rig.createMeter();
  const [scanS, births] = [10, 50];
  let last: readonly RigProcess[] = [];
  for (let scan = 0; scan <= 200; scan++) {
    const atS = scan * scanS;
    const processes = Array.from({ length: births }, (_, i) => {
      const number = scan * births + i;
      const own = {
        'process.executable.name': `program-${number}`,
        'process.linux.cgroup': `/job-${number}`,
      };
      return new RigProcess({ 'process.pid': number, ...own }, Math.max(0, atS - scanS));
    });
    rig.end(atS, ...last.flatMap(({ allSeries }) => allSeries));
    rig.energy(meter, atS, 10 * atS);
    rig.usage(
      atS,
      processes.map((process) => [process, 0.1]),
    );
    rig.boundary(atS, 0.1 * births * scan);
    last = processes;
  }
  const count = (kind: string) => rig.lines.filter((line) => line.startsWith(`{"${kind}"`)).length;
  assert.deepEqual([count('workload'), count('group')], [10_000, 30_000]);
  // The workloads of two scans, and the groups of the last minute in the views of programs and cgroups.
  assert.ok(rig.most < 10 * 3 * births, `${rig.most} of 40,000 were kept`);
  assert.equal(confirm(rig.lines).windows, 200);
});

test('AuditFile forgets a workload after the windows that were queued before, and defines it again if it returns', async () => {
  const rig = new AuditedRig();
  const meter = rig.createMeter();
  const process = new RigProcess({ 'process.pid': 1, 'process.linux.cgroup': '/a' }, 0);
  for (const second of [0, 1, 2, 3]) playSecond({ rig, meter, used: [[process, second]] }, second);
  const path = join(createFolder(), 'audit.jsonl');
  const file = new AuditFile({ path, max_megabytes: 100, max_backups: 0 }, log);
  const [first, second, third] = rig.settled;
  assert.ok(first && second && third);
  file.add(first);
  file.add(second);
  file.forget({ ended: second.window.usage.workloads });
  file.add(third);
  await file.close();
  const lines = linesOf(path);
  const kinds = lines.map((line) => /^\{"(?:workload":\d|\w+)/u.exec(line)?.[0].slice(2));
  const kept = kinds.filter((kind) => kind?.startsWith('workload') || kind === 'window');
  assert.deepEqual(kept, ['workload":0', 'window', 'window', 'workload":1', 'window']);
  assert.equal(confirm(lines).windows, 3);
});
