import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseDrmFdinfo } from './drm-fdinfo.js';

const common = 'pos:\t0\nflags:\t02100002\nmnt_id:\t27\nino:\t1205\n';
const engines = (text: string) => [...(parseDrmFdinfo(text)?.engines ?? [])];
const ns = (value: number, capacity = 1) => ({ ns: value, cycles: undefined, capacity });
const memory = (text: string) => Object.fromEntries(parseDrmFdinfo(text)?.memory ?? []);

test('parseDrmFdinfo reads engines in nanoseconds, with their capacity, as i915 writes them', () => {
  const text =
    `${common}drm-driver:\ti915\ndrm-client-id:\t7\ndrm-pdev:\t0000:00:02.0\n` +
    'drm-total-system0:\t0\ndrm-resident-system0:\t91 MiB\ndrm-total-local0:\t1 GiB\ndrm-resident-local0:\t512 KiB\n' +
    'drm-engine-render:\t25662044495 ns\ndrm-engine-copy:\t0 ns\ndrm-engine-video:\t5 ns\n' +
    'drm-engine-capacity-video:\t2\ndrm-engine-video-enhance:\t3 ns\n';
  const parsed = parseDrmFdinfo(text);
  assert.deepEqual([parsed?.driver, parsed?.clientId, parsed?.pciAddress], ['i915', 7, '0000:00:02.0']);
  assert.deepEqual(engines(text), [
    ['render', ns(25_662_044_495)],
    ['copy', ns(0)],
    ['video', ns(5, 2)],
    ['video-enhance', ns(3)],
  ]);
  assert.deepEqual(memory(text), { system0: 91 * 2 ** 20, local0: 2 ** 19 });
});

test('parseDrmFdinfo reads busy and all cycles, as xe writes them', () => {
  const text =
    'drm-driver:\txe\ndrm-client-id:\t3\ndrm-pdev:\t0000:03:00.0\ndrm-total-vram0:\t23992 KiB\n' +
    'drm-resident-vram0:\t23992 KiB\ndrm-cycles-rcs:\t28257900\ndrm-total-cycles-rcs:\t7655183225\n' +
    'drm-cycles-vcs:\t0\ndrm-total-cycles-vcs:\t7655183225\ndrm-engine-capacity-vcs:\t2\n';
  assert.deepEqual(engines(text), [
    ['rcs', { ns: undefined, cycles: { busy: 28_257_900, total: 7_655_183_225 }, capacity: 1 }],
    ['vcs', { ns: undefined, cycles: { busy: 0, total: 7_655_183_225 }, capacity: 2 }],
  ]);
  assert.deepEqual(memory(text), { vram0: 23_992 * 1024 });
});

test('parseDrmFdinfo takes the time of drivers that count cycles without their total, panfrost and msm', () => {
  const panfrost =
    'drm-driver:\tpanfrost\ndrm-client-id:\t4\ndrm-engine-fragment:\t1846584880 ns\ndrm-cycles-fragment:\t1424359409\n' +
    'drm-maxfreq-fragment:\t799999987 Hz\ndrm-curfreq-fragment:\t799999987 Hz\ndrm-engine-vertex-tiler:\t71932239 ns\n';
  assert.deepEqual(engines(panfrost), [
    ['fragment', { ns: 1_846_584_880, cycles: undefined, capacity: 1 }],
    ['vertex-tiler', { ns: 71_932_239, cycles: undefined, capacity: 1 }],
  ]);
  assert.equal(parseDrmFdinfo(panfrost)?.pciAddress, undefined);
  const msm =
    'drm-driver:\tmsm\ndrm-client-id:\t1\ndrm-engine-gpu:\t70 ns\ndrm-cycles-gpu:\t9\ndrm-maxfreq-gpu:\t5 Hz\n';
  assert.deepEqual(engines(msm), [['gpu', { ns: 70, cycles: undefined, capacity: 1 }]]);
});

test('parseDrmFdinfo reads what amdgpu calls memory, and prefers what is resident', () => {
  const old =
    'pasid:\t32771\ndrm-driver:\tamdgpu\ndrm-pdev:\t0000:0B:00.0\ndrm-client-id:\t83\ndrm-memory-vram:\t2 KiB\n' +
    'drm-memory-gtt: \t3 KiB\namd-evicted-vram:\t0 KiB\ndrm-engine-gfx:\t15 ns\ndrm-engine-enc_1:\t7 ns\n';
  assert.deepEqual(memory(old), { vram: 2048, gtt: 3072 });
  assert.equal(parseDrmFdinfo(old)?.pciAddress, '0000:0b:00.0');
  assert.deepEqual(memory(`${old}drm-total-vram:\t9 KiB\ndrm-resident-vram:\t4 KiB\n`), {
    vram: 4096,
    gtt: 3072,
  });
});

test('parseDrmFdinfo is undefined for other files, and leaves damaged lines out', () => {
  assert.equal(parseDrmFdinfo(''), undefined);
  assert.equal(parseDrmFdinfo(common), undefined);
  assert.equal(parseDrmFdinfo('drm-driver:\n'), undefined);
  // amdgpu before Linux 5.19.
  assert.equal(parseDrmFdinfo('pdev:\t0000:0b:00.0\nvram mem:\t2 kB\ngfx0:\t12.5%\n'), undefined);
  const damaged =
    'drm-driver: x\ndrm-client-id: -1\ndrm-engine-a: 5\ndrm-engine-b: 1.5 ns\ndrm-engine-: 4 ns\ndrm-engine-c\n' +
    'drm-engine-capacity-a: 0\ndrm-memory-vram: 5 kB\ndrm-cycles-d: 5\ndrm-total-cycles-d: x\n';
  assert.deepEqual(engines(damaged), [['a', { ns: 5, cycles: undefined, capacity: 1 }]]);
  assert.deepEqual([parseDrmFdinfo(damaged)?.clientId, memory(damaged)], [undefined, {}]);
});
