import assert from 'node:assert/strict';
import { test } from 'node:test';
import { PerfEventError } from '../../src/linux/perf-event.js';
import { createFakeSysfs } from './fake-sysfs.fixture.js';
import { explainNoPerf, explainNoPowercap, explainPerfError, explainPowercapError } from './refusal.js';

test('explainPerfError says which right is missing and how to grant it', () => {
  const error = new PerfEventError('Cannot open perf event "energy-pkg" on cpu 0: EACCES', 'EACCES');
  assert.deepEqual(explainPerfError(error), {
    reason: 'perf_event: Cannot open perf event "energy-pkg" on cpu 0: EACCES',
    remedies: [
      {
        missing: 'CAP_PERFMON, for the counters of perf_event',
        command:
          'sudo setpriv --reuid "$(id -u)" --regid "$(id -g)" --init-groups --inh-caps +perfmon --ambient-caps +perfmon -- joulemetry',
      },
      { missing: 'CAP_PERFMON, for a systemd unit', command: 'AmbientCapabilities=CAP_PERFMON' },
      { missing: 'perf_event for every user', command: 'sudo sysctl kernel.perf_event_paranoid=0' },
    ],
  });
});

test('explainPerfError has no remedy, when rights are not the cause', () => {
  const error = new PerfEventError('Cannot open perf event "energy-pkg" on cpu 0: ENODEV', 'ENODEV');
  assert.deepEqual(explainPerfError(error).remedies, []);
});

test('explainPowercapError says which right is missing and how to grant it', () => {
  const cause = Object.assign(new Error('EACCES: permission denied'), { code: 'EACCES' });
  const error = new Error('Cannot open energy_uj: EACCES', { cause });
  assert.deepEqual(explainPowercapError(error), {
    reason: 'powercap: Cannot open energy_uj: EACCES',
    remedies: [
      {
        missing: 'CAP_DAC_READ_SEARCH, for the files of powercap',
        command:
          'sudo setpriv --reuid "$(id -u)" --regid "$(id -g)" --init-groups --inh-caps +dac_read_search --ambient-caps +dac_read_search -- joulemetry',
      },
      {
        missing: 'CAP_DAC_READ_SEARCH, for a systemd unit',
        command: 'AmbientCapabilities=CAP_DAC_READ_SEARCH',
      },
    ],
  });
});

test('explainNoPerf tells a PMU without events from no PMU', (t) => {
  const sysfs = createFakeSysfs(t);
  const folder = `${sysfs.root}/bus/event_source/devices/power`;
  assert.equal(explainNoPerf(sysfs.root).reason, `perf_event: ${folder} is not here`);
  sysfs.writePmu({});
  assert.equal(explainNoPerf(sysfs.root).reason, `perf_event: ${folder}/events has no energy event`);
});

test('explainNoPerf sends the user of a virtual machine to the host', (t) => {
  const sysfs = createFakeSysfs(t);
  sysfs.write('devices/system/cpu/modalias', 'cpu:type:x86,ven0000fam0006mod00CF:feature:,009E,009F\n');
  assert.deepEqual(explainNoPerf(sysfs.root).remedies, [
    {
      missing: 'energy counters, which a virtual machine has not',
      command: 'run joulemetry on the host of this virtual machine',
    },
  ]);
});

test("explainNoPowercap sends the user of a container to the host's sysfs, when zones are names only", (t) => {
  const sysfs = createFakeSysfs(t);
  sysfs.write('class/powercap/intel-rapl:0/uevent', '');
  assert.deepEqual(explainNoPowercap(sysfs.root), {
    reason: `powercap: the zones in ${sysfs.root}/class/powercap cannot be followed`,
    remedies: [
      {
        missing: "the host's sysfs, which this container hides",
        command: 'mount the host\'s /sys read-only at /host/sys and set "sysfs: /host/sys"',
      },
    ],
  });
});
