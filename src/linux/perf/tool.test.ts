import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { test } from 'node:test';
import type { CountedEvent } from './counted-event.js';
import { encodePerfAttr } from './event.js';
import { createFakePmus, serverPmus } from './fake-sysfs.fixture.js';
import { parseEvents } from './grammar.js';
import { perfEventsRefused } from './refused.fixture.js';
import { resolveEvents } from './resolve.js';

// What the tool of the kernel's own authors makes of the same names, on the same machine.

const withoutPerf = spawnSync('perf', ['--version']).error
  ? 'perf is not installed (Debian: linux-perf)'
  : perfEventsRefused;

type Attr = Readonly<Record<string, bigint>>;

/** The first attempt at each event, in order; later ones leave out what the kernel refused. */
function askPerf(sysfs: string, events: readonly string[]): readonly Attr[] {
  const { stderr } = spawnSync('perf', ['stat', '-vv', '-e', events.join(','), 'true'], {
    env: { ...process.env, SYSFS_PATH: sysfs, LC_ALL: 'C' },
  });
  const blocks = stderr.toString().split('perf_event_attr:\n').slice(1);
  assert.ok(blocks.length >= events.length, stderr.toString());
  return blocks.map((block) => parseAttr(block.slice(0, block.indexOf('-----'))));
}

function parseAttr(block: string): Attr {
  const lines = [...block.matchAll(/^ {2}(\{.*\}|\S+) +(\S+)$/gm)];
  return Object.fromEntries(lines.flatMap(([, name = '', value = '']) => parseLine(name, value)));
}

const wanted = new Set([
  'type',
  'config',
  'exclude_user',
  'exclude_kernel',
  'exclude_hv',
  'exclude_idle',
  'precise_ip',
]);

function parseLine(name: string, value: string): readonly (readonly [string, bigint])[] {
  const field = /config\d/.exec(name)?.[0] ?? name;
  const isWanted = wanted.has(field) || field.startsWith('config') || field === 'exclude_host';
  return isWanted && value !== '0' ? [[field, BigInt(value)]] : [];
}

function describeOwn({ modifiers, encodings }: CountedEvent): readonly Attr[] {
  return encodings.map((encoding) => {
    const attr = Buffer.from(encodePerfAttr({ name: '', pid: 0, cpu: -1, ...encoding, ...modifiers }));
    const flags = attr.readBigUInt64LE(40);
    const fields: readonly (readonly [string, bigint])[] = [
      ['type', BigInt(attr.readUInt32LE(0))],
      ['config', attr.readBigUInt64LE(8)],
      ['config1', attr.readBigUInt64LE(56)],
      ['config2', attr.length > 64 ? attr.readBigUInt64LE(64) : 0n],
      ['exclude_user', (flags >> 4n) & 1n],
      ['exclude_kernel', (flags >> 5n) & 1n],
      ['exclude_hv', (flags >> 6n) & 1n],
      ['exclude_idle', (flags >> 7n) & 1n],
      ['precise_ip', (flags >> 15n) & 3n],
      ['exclude_host', (flags >> 19n) & 1n],
    ];
    return Object.fromEntries(fields.filter(([, value]) => value !== 0n));
  });
}

function askOwn(sysfs: string, text: string): readonly Attr[] {
  const { groups, unknown } = resolveEvents(parseEvents(text), { sysfs });
  assert.deepEqual(unknown, []);
  return groups.flatMap(({ events }) => events.flatMap(describeOwn));
}

const hardware = `cycles cpu-cycles instructions cache-references cache-misses branches branch-instructions
  branch-misses bus-cycles stalled-cycles-frontend idle-cycles-frontend stalled-cycles-backend
  idle-cycles-backend ref-cycles`.split(/\s+/);
const software = `cpu-clock task-clock page-faults faults context-switches cs cpu-migrations migrations
  minor-faults major-faults alignment-faults emulation-faults dummy bpf-output cgroup-switches`.split(/\s+/);
// Those that perf lets through: it knows which cache can do what.
const caches = ['L1-dcache', 'LLC', 'dTLB', 'node'].flatMap((cache) =>
  ['loads', 'load-misses', 'stores', 'store-misses', 'prefetches', 'prefetch-misses'].map(
    (operation) => `${cache}-${operation}`,
  ),
);
const otherCaches = `L1-icache-loads L1-icache-load-misses L1-icache-prefetches iTLB-loads iTLB-load-misses
  branch-loads branch-load-misses l1d-read-miss l1i-loads L2-load-refs d-tlb-write-miss Data-TLB-load-access
  btb-read bpu-load-misses LLC-misses-load L1-data-speculative-read-miss L1-dcache-misses LLC`.split(/\s+/);

test('resolveEvents encodes every name as perf does', { skip: withoutPerf }, () => {
  const sysfs = createFakePmus(serverPmus);
  const names = [...hardware, ...software, ...caches, ...otherCaches];
  const own = names.flatMap((name) => askOwn(sysfs, name));
  const perf = askPerf(sysfs, names);
  assert.deepEqual(dropRepeated(perf), dropRepeated(own));
});

const special = `cycles:u cycles:k cycles:uk cycles:h cycles:I cycles:H cycles:G cycles:up cycles:ppp
  page-faults:u L1-dcache-loads:k r1a8 rfff0c4 r3c:u cpu/event=0x3c/ cpu/event=0xc2,umask=0x1,inv,cmask=16/u
  cpu/config=0x1003c,config1=7/ cpu/split=0x5a/ cpu/offcore_rsp=0x10001/ cpu/mem-loads/ mem-loads:u topdown-bad
  cpu/cpu-cycles/k arm_cmn/far=3/ power/energy-pkg/`.split(/\s+/);

for (const event of special) {
  test(`resolveEvents encodes ${event} as perf does`, { skip: withoutPerf }, () => {
    const sysfs = createFakePmus(serverPmus);
    const [first] = askPerf(sysfs, [event]);
    assert.deepEqual(askOwn(sysfs, event), [first]);
  });
}

test(
  'resolveEvents finds every memory controller behind one name, as perf does',
  { skip: withoutPerf },
  () => {
    const sysfs = createFakePmus(serverPmus);
    assert.deepEqual(
      askOwn(sysfs, 'uncore_imc/cas_count_read/'),
      askPerf(sysfs, ['uncore_imc_0/cas_count_read/', 'uncore_imc_1/cas_count_read/']).slice(0, 2),
    );
  },
);

function dropRepeated(attrs: readonly Attr[]): readonly string[] {
  const texts = attrs.map((attr) =>
    JSON.stringify(
      Object.keys(attr)
        .toSorted((a, b) => (a < b ? -1 : 1))
        .map((key) => `${key}=${attr[key]}`),
    ),
  );
  return texts.filter((text, i) => text !== texts[i - 1]);
}
