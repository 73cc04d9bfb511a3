import assert from 'node:assert/strict';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { createFakePmus, hybridPmus, serverPmus } from './fake-sysfs.fixture.js';
import { parseEvents } from './grammar.js';
import { findLibpfm } from './libpfm.js';
import { resolveEvents } from './resolve.js';

// libpfm4 then knows the events of CPUs that are not here. It looks once, when it is loaded.
process.env['LIBPFM_ENCODE_INACTIVE'] = '1';

const resolve = (sysfs: string, text: string, rename = {}) =>
  resolveEvents(parseEvents(text), { sysfs, rename });

function codes(sysfs: string, text: string): readonly string[] {
  const { groups, unknown } = resolve(sysfs, text);
  assert.deepEqual(unknown, []);
  const encodings = groups.flatMap(({ events }) => events.flatMap((event) => event.encodings));
  return encodings.map(
    ({ type, config, pmu, cpus }) => `${type} ${config.toString(16)} ${pmu} ${cpus?.join(',')}`,
  );
}

test('resolveEvents counts on the PMU of each kind of cores, where there are several', () => {
  const sysfs = createFakePmus(hybridPmus);
  assert.deepEqual(codes(sysfs, 'instructions'), [
    '0 a00000001 cpu_atom 4,5,6,7',
    '0 400000001 cpu_core 0,1,2,3',
  ]);
  assert.deepEqual(codes(sysfs, 'LLC-load-misses'), [
    '3 a00010002 cpu_atom 4,5,6,7',
    '3 400010002 cpu_core 0,1,2,3',
  ]);
  assert.deepEqual(codes(sysfs, 'r1a8'), ['10 1a8 cpu_atom 4,5,6,7', '4 1a8 cpu_core 0,1,2,3']);
  assert.deepEqual(codes(sysfs, 'cpu_core/cycles/'), ['0 400000000 cpu_core 0,1,2,3']);
  assert.deepEqual(codes(sysfs, 'mem-stores:u'), ['10 6d0 cpu_atom 4,5,6,7', '4 2cd cpu_core 0,1,2,3']);
  assert.deepEqual(codes(sysfs, 'page-faults'), ['1 2  undefined']);
});

test('resolveEvents takes scale and unit from sysfs, and all PMUs that are numbered', () => {
  const sysfs = createFakePmus(serverPmus);
  const { groups } = resolve(sysfs, 'imc/cas_count_read/,energy-pkg,task-clock');
  const [[reads], [energy], [clock]] = groups.map(({ events }) => events);
  assert.deepEqual([reads.unit, reads.scale, reads.encodings.length], ['By', 64, 2]);
  assert.deepEqual([energy.unit, energy.scale, energy.encodings[0].isTask], ['J', 2 ** -32, false]);
  assert.deepEqual([clock.unit, clock.scale], ['s', 1e-9]);
});

test('resolveEvents renames by text or by the name in the event', () => {
  const sysfs = createFakePmus(serverPmus);
  const rename = { 'cpu/event=0xc0/': 'retired', mine: 'yours' };
  const { groups } = resolve(
    sysfs,
    'cpu/event=0xc0/,cpu/event=1,name=mine/,cpu/event=2,name=third/u,cs',
    rename,
  );
  assert.deepEqual(
    groups.flatMap(({ events }) => events.map(({ name }) => name)),
    ['retired', 'yours', 'third', 'cs'],
  );
});

const unknown: Readonly<Record<string, RegExp>> = {
  cyles:
    /Cannot count event "cyles": expected an event of this machine, found none of this name, did you mean "cycles"\?/,
  'cpo/event=1/':
    /Cannot count event "cpo\/event=1\/": expected a PMU, found none called "cpo", did you mean "cpu"\?/,
  'cpu/evnt=1/': /expected one of cmask, edge, event, .*, found "evnt"/,
  'cpu/needs-number/': /expected umask=NUMBER, found no "umask"/,
  'intel_cqm/llc_occupancy/': /found "llc_occupancy", which is a level/,
  'cs,cs': /Cannot count event "cs": expected a name of its own, found another event that is called "cs"/,
  '{cs,nonsense}':
    /Cannot count event "nonsense"[^]*Cannot count event "cs": expected a group of known events, found an unknown one/,
};

for (const [text, reason] of Object.entries(unknown)) {
  test(`resolveEvents reports why it does not know ${text}`, () => {
    const resolved = resolve(createFakePmus(serverPmus), text);
    assert.match(resolved.unknown.map((each) => each.reason).join('\n'), reason);
  });
}

test('resolveEvents gives thousands of unknown events one reason, and few of them a suggestion', () => {
  const text = Array.from({ length: 5000 }, (_, i) => `{cpu-cycles${i},cs}`).join(',');
  const { unknown: left } = resolve(createFakePmus(serverPmus), text);
  assert.equal(left.length, 10_000);
  assert.equal(left.filter(({ reason }) => reason.includes('did you mean')).length, 20);
});

test('resolveEvents leaves out a group that has an unknown event', () => {
  assert.deepEqual(resolve(createFakePmus(serverPmus), '{cs,nonsense}').groups, []);
});

test('resolveEvents finds tracepoints below sysfs, and reports what is missing', () => {
  const sysfs = createFakePmus(serverPmus);
  const [none] = resolve(sysfs, 'sched:sched_switch').unknown;
  assert.match(
    none.reason,
    /expected tracefs, found no readable .*kernel\/tracing; as root: mount -t tracefs/,
  );
  mkdirSync(join(sysfs, 'kernel/tracing/events/sched/sched_switch'), { recursive: true });
  writeFileSync(join(sysfs, 'kernel/tracing/events/sched/sched_switch/id'), '372\n');
  assert.deepEqual(codes(sysfs, 'sched:sched_switch,sched:sched_switch:u'), [
    '2 174  undefined',
    '2 174  undefined',
  ]);
  assert.match(
    resolve(sysfs, 'sched:sched_swich').unknown[0].reason,
    /expected an event of this machine, found none/,
  );
});

const libpfm = findLibpfm();
const withoutPfm = typeof libpfm === 'string' ? libpfm : false;

test('resolveEvents asks libpfm4 for what only it knows', { skip: withoutPfm }, () => {
  const { groups } = resolve(
    createFakePmus(serverPmus),
    'skl::INST_RETIRED:ANY_P:u,skl::L2_RQSTS:MISS:c=2:i',
  );
  const events = groups.flatMap((group) => group.events);
  assert.deepEqual(
    events.map(({ encodings: [{ type, config }] }) => [type, config]),
    [
      [4, 0xc0n],
      [4, 0x2803f24n],
    ],
  );
  assert.equal(events[0].modifiers.excludeKernel, true);
  assert.equal(events[1].modifiers.excludeKernel, undefined);
});
