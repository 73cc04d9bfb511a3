import { bindSensors, findChannels } from '../../src/gpu/bind-hwmon.js';
import { bindFile, CardReader, type CardFeature } from '../../src/gpu/card-reader.js';
import type { CardKind } from '../../src/gpu/card-session.js';
import type { Card } from '../../src/gpu/cards.js';
import { drmTasks } from '../../src/gpu/drm-processes.js';
import type { Device } from '../../src/gpu/protocol.js';
import { findInteger, findText } from '../../src/linux/sysfs.js';
import { MetricsTable } from './metrics-table.js';

/** The cards of amdgpu, as sysfs shows them. */
export const amdCards: CardKind = { vendor: 'AMD', drivers: ['amdgpu'], open: openCard };

/** Of the units of hwmon in one of ours. */
const [milli, micro] = [1e3, 1e6];

function openCard(card: Card): CardReader {
  const { folder } = card;
  const hwmon = card.hwmon['amdgpu'] ?? `${folder}/hwmon/none`;
  const sensors = [...bindSensors(hwmon), ...bindClocks(hwmon), ...bindActivity(folder)];
  const isIntegrated = findChannels(hwmon, 'in').some(([, label]) => label === 'vddnb');
  // The power of an integrated GPU in hwmon is that of its socket.
  const own = isIntegrated ? sensors : [...sensors, ...bindPower(hwmon)];
  const columns = new Set(own.flatMap((feature) => feature.columns));
  const table = openTable(folder, columns);
  const features = table ? [table, ...own] : own;
  return new CardReader(
    card,
    describeDevice(card, hwmon, isIntegrated || table?.isIntegrated === true),
    features,
  );
}

function openTable(folder: string, columns: ReadonlySet<string>): MetricsTable | undefined {
  const hasPower = [...columns].some((column) => /^power\.(?:instant|averaged)$/u.test(column));
  return MetricsTable.open(
    `${folder}/gpu_metrics`,
    (column) => columns.has(column) || (hasPower && column.startsWith('power.')),
  );
}

function describeDevice(card: Card, hwmon: string, isIntegrated: boolean): CardReader['device'] {
  const { folder, address, product } = card;
  const find = (file: string) => findText(`${folder}/${file}`) || undefined;
  const maxMicrowatts = findInteger(`${hwmon}/power1_cap_max`);
  return {
    id: address,
    name: find('product_name') ?? `AMD GPU ${product}`,
    vendor: 'AMD',
    domain: isIntegrated ? undefined : `gpu/${address}`,
    parent: isIntegrated ? 'cpu-package-0' : undefined,
    interfaces: { energy: 'amdgpu_gpu_metrics', power: 'amdgpu_power' },
    tasks: drmTasks,
    hasTaskUtilization: false,
    serialNumber: find('serial_number') ?? find('unique_id'),
    firmwareVersion: find('vbios_version'),
    driverVersion: findText('/sys/module/amdgpu/version') ?? 'amdgpu',
    maxWatts: maxMicrowatts === undefined ? NaN : maxMicrowatts / micro,
    temperatureLimits: listTemperatureLimits(hwmon),
    columns: [],
    profileColumns: [],
  };
}

function listTemperatureLimits(hwmon: string): Device['temperatureLimits'] {
  return findChannels(hwmon, 'temp').flatMap(([channel, sensor]) => {
    const critical = findInteger(`${hwmon}/${channel}_crit`) ?? 0;
    return critical > 0 ? [{ sensor, type: 'high.critical', degrees: critical / milli }] : [];
  });
}

/** The averaged power, or that of its instant, and its limit. */
function bindPower(hwmon: string): readonly CardFeature[] {
  const averaged = bindFile('power.averaged', `${hwmon}/power1_average`, micro);
  const power = averaged.length > 0 ? averaged : bindFile('power.instant', `${hwmon}/power1_input`, micro);
  return [...power, ...bindFile('power.limit', `${hwmon}/power1_cap`, micro)];
}

const clocks: Readonly<Record<string, string>> = { sclk: 'graphics', mclk: 'memory' };

function bindClocks(hwmon: string): readonly CardFeature[] {
  return findChannels(hwmon, 'freq').flatMap(([channel, label]) =>
    bindFile(`clock.${clocks[label] ?? label}`, `${hwmon}/${channel}_input`),
  );
}

function bindActivity(folder: string): readonly CardFeature[] {
  return [
    ...bindFile('utilization.general', `${folder}/gpu_busy_percent`, 100),
    ...bindFile('utilization.memory', `${folder}/mem_busy_percent`, 100),
    ...bindFile('utilization.video', `${folder}/vcn_busy_percent`, 100),
    ...bindFile('memory.usage', `${folder}/mem_info_vram_used`),
    ...bindFile('memory.limit', `${folder}/mem_info_vram_total`),
    ...bindFile('memory.shared.usage', `${folder}/mem_info_gtt_used`),
    ...bindFile('memory.shared.limit', `${folder}/mem_info_gtt_total`),
  ];
}
