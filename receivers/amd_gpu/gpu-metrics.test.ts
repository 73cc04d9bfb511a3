import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { createFolder } from '../../src/testing/temporary-folder.fixture.js';
import { readField, readResidencies, readThrottle, recognizeMetrics } from './gpu-metrics.js';

const skip = spawnSync('gcc', ['--version']).error === undefined ? false : 'gcc is not installed';

const header = 'uint16_t structure_size; uint8_t format_revision, content_revision;';
const early =
  'uint16_t edge, junction, mem, vr_gfx, vr_soc, vr_mem, gfx, umc, mm, power; uint64_t energy, clock; uint16_t clocks[14];' +
  'uint32_t throttle; uint16_t fan, width, speed, padding; uint32_t gfx_acc, mem_acc; uint16_t hbm[4];';
const late = 'uint16_t junction, mem, vr_soc, power, gfx, umc;';
const cycles = 'uint32_t cycles, residencies[5];';
const second =
  'uint16_t gfx_temp, soc, core[8], l3[2], gfx, mm; uint64_t clock; uint16_t socket, cpu, soc_power, power, cores[8], clocks[12],' +
  'core_clocks[8], l3_clocks[2]; uint32_t throttle; uint16_t fan, padding[3];';
const third =
  'uint16_t gfx_temp, soc, core[16], skin, gfx, mm, ipu[8], c0[16], traffic[4]; uint64_t clock; uint32_t socket; uint16_t ipu_power;' +
  'uint32_t apu, power, dgpu;';

/** The structures by version, as the header of the kernel has them, with what is not read in arrays. */
const structures: Readonly<Record<string, string>> = {
  '1.0': 'uint64_t clock; uint16_t edge, junction, mem, vr_gfx, vr_soc, vr_mem, gfx, umc, mm, power;',
  '1.1': early,
  '1.2': `${early} uint64_t stamp;`,
  '1.3': `${early} uint64_t stamp; uint16_t volts[3], padding1; uint64_t indep;`,
  '1.4': `${late} uint16_t vcn[4]; uint64_t energy;`,
  '1.5': `${late} uint16_t vcn[4], jpeg[32]; uint64_t energy;`,
  '1.6': `${late} uint64_t energy, clock; ${cycles}`,
  '1.7': `${late} uint64_t bandwidth, energy, clock; ${cycles}`,
  '1.8': `${late} uint64_t bandwidth, energy, clock; ${cycles}`,
  '2.2': `${second} uint64_t indep;`,
  '2.3': `${second} uint64_t indep;`,
  '2.4': `${second} uint64_t indep;`,
  '3.0': third,
};
/** What each column is called there. */
const members: Readonly<Record<string, string>> = {
  'utilization.general': 'gfx',
  'utilization.memory': 'umc',
  'utilization.video': 'mm',
  'temperature.gfx': 'gfx_temp',
};

function memberOf(column: string): string {
  if (column.startsWith('power.')) return 'power';
  const [, stack] = /hbm(\d)$/u.exec(column) ?? [];
  return stack === undefined ? (members[column] ?? column.replace('temperature.', '')) : `hbm[${stack}]`;
}

/** A table of a version, all bits set as the driver does for what it does not know. */
function createTable(version: string, size = 2048): Buffer {
  const table = Buffer.alloc(size, 0xff);
  const [format = 0, content = 0] = version.split('.').map(Number);
  table.writeUInt16LE(size, 0);
  table.writeUInt8(format, 2);
  table.writeUInt8(content, 3);
  return table;
}

function layoutOf(version: string) {
  const metrics = recognizeMetrics(createTable(version));
  assert.ok(metrics, version);
  return metrics.layout;
}

test('the offsets of every version are those that a C compiler gives', { skip }, () => {
  const expected: string[] = [];
  const prints: string[] = [];
  for (const [version, body] of Object.entries(structures)) {
    const type = `struct v${version.replace('.', '_')}`;
    const { fields, throttleStatus, residencies } = layoutOf(version);
    const places = fields.map(({ column, offset }): [string, number] => [memberOf(column), offset]);
    if (throttleStatus !== undefined) places.push(['indep', throttleStatus]);
    if (residencies !== undefined) places.push(['cycles', residencies[0] ?? 0]);
    for (const [member, offset] of places) {
      expected.push(`${version} ${member} ${offset}`);
      prints.push(`printf("${version} ${member} %zu\\n", offsetof(${type}, ${member}));`);
    }
    prints.unshift(`${type} { ${header} ${body} };`);
  }
  const folder = createFolder();
  const source = join(folder, 'offsets.c');
  const includes = '#include <stddef.h>\n#include <stdint.h>\n#include <stdio.h>\n';
  const types = prints.filter((line) => line.startsWith('struct'));
  const calls = prints.filter((line) => line.startsWith('printf'));
  writeFileSync(source, `${includes}${types.join('\n')}\nint main(void) {\n${calls.join('\n')}\n}\n`);
  execFileSync('gcc', ['-o', join(folder, 'offsets'), source]);
  const printed = execFileSync(join(folder, 'offsets')).toString().trim().split('\n');
  assert.deepEqual(printed.toSorted(), expected.toSorted());
  assert.ok(expected.length > 80);
});

test('recognizeMetrics knows no other version, and no table that is cut off', () => {
  for (const version of ['0.0', '1.10', '2.5', '3.1', '255.255'])
    assert.equal(recognizeMetrics(createTable(version)), undefined, version);
  for (const [version, size] of [
    ['1.3', 119],
    ['1.4', 31],
    // sizeof(struct gpu_metrics_v1_6): 384 in the kernel's commit 00dedab07b52, 1664 since September 2024.
    ['1.6', 384],
    ['1.6', 1663],
    ['2.4', 127],
    ['3.0', 60],
  ] as const)
    assert.equal(recognizeMetrics(createTable(version, size)), undefined, version);
  assert.equal(recognizeMetrics(Buffer.alloc(3)), undefined);
  assert.equal(recognizeMetrics(createTable('1.3').subarray(0, 100)), undefined);
});

test('readField gives values in the unit of their columns, and NaN where the GPU does not know', () => {
  const table = createTable('1.3');
  const { fields } = layoutOf('1.3');
  assert.ok(fields.every((field) => Number.isNaN(readField(table, field))));
  table.writeUInt16LE(61, 6);
  table.writeUInt16LE(97, 16);
  table.writeUInt16LE(213, 22);
  table.writeBigUInt64LE(65_536n * 3600n, 24);
  const values = fields
    .map((field): [string, number] => [field.column, readField(table, field)])
    .filter(([, value]) => !Number.isNaN(value));
  assert.deepEqual(Object.fromEntries(values), {
    'temperature.junction': 61,
    'utilization.general': 0.97,
    'power.averaged': 213,
    energy: 3600e6,
  });
});

test('the activities of version 3.0, whose unit depends on the firmware, are left out', () => {
  // smu_v14_0_0_ppt.c divides GfxActivity by 100 for firmware up to 0x5d4600, and VcnActivity always.
  const columns = layoutOf('3.0').fields.map(({ column }) => column);
  assert.deepEqual(columns, ['temperature.gfx', 'temperature.soc', 'power.averaged']);
});

test('readThrottle groups the bits of the driver by what they are for', () => {
  const table = createTable('1.3');
  const { throttleStatus = 0 } = layoutOf('1.3');
  assert.deepEqual(readThrottle(table, throttleStatus), [NaN, NaN, NaN, NaN, NaN]);
  table.writeBigUInt64LE((1n << 0n) | (1n << 36n) | (1n << 57n), throttleStatus);
  assert.deepEqual(readThrottle(table, throttleStatus), [1, 0, 1, 0, 1]);
  table.writeBigUInt64LE((1n << 22n) | (1n << 47n), throttleStatus);
  assert.deepEqual(readThrottle(table, throttleStatus), [0, 1, 0, 1, 0]);
  table.writeBigUInt64LE(0n, throttleStatus);
  assert.deepEqual(readThrottle(table, throttleStatus), [0, 0, 0, 0, 0]);
});

test('readResidencies gives the count of all cycles and of each reason', () => {
  const table = createTable('1.7');
  const { residencies = [] } = layoutOf('1.7');
  [1000, 1, 2, 3, 4, 5].forEach((count, i) => table.writeUInt32LE(count, 40 + 4 * i));
  assert.deepEqual(readResidencies(table, residencies), [1000, 1, 2, 3, 4, 5]);
});

/** Version 1.9 as the macros of drivers/gpu/drm/amd/pm/swsmu/smu_cmn.h build it, for the first attributes of an MI300. */
const attributesProgram = `
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#define LIST(S, A) S(0, 2, 2, uint16_t, hotspot) S(1, 2, 2, uint16_t, mem) S(2, 2, 2, uint16_t, vrsoc) \\
  S(3, 3, 2, uint16_t, power) S(4, 10, 2, uint16_t, gfx) S(5, 10, 2, uint16_t, umc) S(6, 8, 6, uint64_t, bandwidth) \\
  S(7, 0, 6, uint64_t, energy) S(8, 4, 6, uint64_t, clock) S(9, 0, 4, uint32_t, cycles) S(10, 0, 4, uint32_t, prochot) \\
  S(11, 0, 4, uint32_t, ppt) S(12, 0, 4, uint32_t, thm) S(13, 0, 4, uint32_t, vr) S(14, 0, 4, uint32_t, hbm) \\
  A(29, 9, 6, uint64_t, xgmi, 8) A(41, 10, 2, uint16_t, jpeg, 40) S(700, 0, 0, uint8_t, later)
#define DECLARE(id, unit, type, ctype, name) uint64_t name##_type; ctype name;
#define DECLARE_ARRAY(id, unit, type, ctype, name, size) uint64_t name##_type; ctype name[size];
#define ENCODE(id, unit, type, size) ((uint64_t)(unit) << 24 | (uint64_t)(type) << 20 | (uint64_t)(id) << 10 | (size))
#define INIT(id, unit, type, ctype, name) m.name##_type = ENCODE(id, unit, type, 1); m.attr_count++;
#define INIT_ARRAY(id, unit, type, ctype, name, size) m.name##_type = ENCODE(id, unit, type, size); m.attr_count++;
struct __attribute__((packed)) metrics {
  uint16_t structure_size; uint8_t format_revision, content_revision; int attr_count; LIST(DECLARE, DECLARE_ARRAY)
};
int main(void) {
  struct metrics m;
  memset(&m, 0xff, sizeof m);
  m.structure_size = sizeof m, m.format_revision = 1, m.content_revision = 9, m.attr_count = 0;
  LIST(INIT, INIT_ARRAY)
  m.hotspot = 61, m.power = 734, m.gfx = 98, m.umc = 13, m.energy = 65536ull * 3600;
  m.cycles = 1000, m.prochot = 1, m.ppt = 2, m.thm = 3, m.vr = 4, m.hbm = 5;
  return fwrite(&m, sizeof m, 1, stdout) != 1;
}`;

test('recognizeMetrics reads version 1.9 by the attributes that it lists', { skip }, () => {
  const folder = createFolder();
  writeFileSync(join(folder, 'attributes.c'), attributesProgram);
  execFileSync('gcc', ['-o', join(folder, 'attributes'), join(folder, 'attributes.c')]);
  const table = execFileSync(join(folder, 'attributes'));
  const metrics = recognizeMetrics(table);
  assert.ok(metrics);
  assert.equal(metrics.isIntegrated, false);
  const { fields, residencies = [], size } = metrics.layout;
  assert.equal(size, table.length);
  assert.deepEqual(Object.fromEntries(fields.map((field) => [field.column, readField(table, field)])), {
    'temperature.junction': 61,
    'temperature.mem': NaN,
    'temperature.vr_soc': NaN,
    'power.instant': 734,
    'utilization.general': 0.98,
    'utilization.memory': 0.13,
    energy: 3600e6,
  });
  assert.deepEqual(readResidencies(table, residencies), [1000, 1, 2, 3, 4, 5]);
  for (let length = 0; length < table.length; length++)
    assert.equal(recognizeMetrics(table.subarray(0, length)), undefined, `${length} bytes`);
  const unknown = Buffer.from(table);
  // A type that does not exist, so that the next attribute cannot be found; other units.
  unknown.writeUInt32LE(unknown.readUInt32LE(8) | 0x00f00000, 8);
  assert.equal(recognizeMetrics(unknown), undefined);
  const kelvins = Buffer.from(table);
  kelvins.writeUInt8(200, 11);
  assert.ok(
    !recognizeMetrics(kelvins)?.layout.fields.some(({ column }) => column === 'temperature.junction'),
  );
});
