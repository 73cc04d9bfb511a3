import { FakeCards } from '../../src/gpu/fake-cards.fixture.js';

export const address = '0000:03:00.0';
export const place = { address, driver: 'amdgpu' };

/** A desktop card, as sysfs shows it. */
export const desktop = {
  device: '0x73bf',
  product_name: 'Radeon RX 6800',
  unique_id: '2a1b',
  vbios_version: '113-D4120100',
  gpu_busy_percent: 37,
  mem_busy_percent: 12,
  mem_info_vram_used: 1_569_419_264,
  mem_info_vram_total: 17_163_091_968,
  mem_info_gtt_used: 152_281_088,
  mem_info_gtt_total: 16_711_098_368,
  'hwmon/hwmon4/name': 'amdgpu',
  'hwmon/hwmon4/power1_average': 118_000_000,
  'hwmon/hwmon4/power1_cap': 203_000_000,
  'hwmon/hwmon4/power1_cap_max': 233_000_000,
  'hwmon/hwmon4/temp1_input': 51_000,
  'hwmon/hwmon4/temp1_label': 'edge',
  'hwmon/hwmon4/temp1_crit': 100_000,
  'hwmon/hwmon4/temp2_input': 60_000,
  'hwmon/hwmon4/temp2_label': 'junction',
  'hwmon/hwmon4/temp2_crit': 110_000,
  'hwmon/hwmon4/fan1_input': 1225,
  'hwmon/hwmon4/in0_input': 856,
  'hwmon/hwmon4/in0_label': 'vddgfx',
  'hwmon/hwmon4/freq1_input': 2_225_000_000,
  'hwmon/hwmon4/freq1_label': 'sclk',
  'hwmon/hwmon4/freq2_input': 1_000_000_000,
  'hwmon/hwmon4/freq2_label': 'mclk',
};

export function plugIn(files: Parameters<FakeCards['write']>[1] = desktop): FakeCards {
  const cards = new FakeCards();
  cards.add(1, place, files);
  return cards;
}

/** A table of gpu_metrics with all bits set but these. */
export function createTable(
  [format, content, size]: readonly [number, number, number],
  fill: (table: Buffer) => void,
): Buffer {
  const table = Buffer.alloc(size, 0xff);
  table.writeUInt16LE(size, 0);
  table.writeUInt8(format, 2);
  table.writeUInt8(content, 3);
  fill(table);
  return table;
}

/** What an MI300X has. @param count of 15.26 uJ each */
export const accelerator = (count: bigint, cycles: readonly number[] = [0, 0, 0, 0, 0, 0]) =>
  createTable([1, 6, 1664], (table) => {
    table.writeUInt16LE(45, 4);
    table.writeUInt16LE(750, 10);
    table.writeUInt16LE(99, 12);
    table.writeBigUInt64LE(count, 16);
    cycles.forEach((one, i) => table.writeUInt32LE(one, 32 + 4 * i));
  });
