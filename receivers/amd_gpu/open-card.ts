import { bindSensors, findChannels } from '../../src/gpu/bind-hwmon.js';
import { bindFile, CardReader, type CardFeature } from '../../src/gpu/card-reader.js';
import type { Card } from '../../src/gpu/cards.js';
import { drmTasks } from '../../src/gpu/drm-processes.js';
import type { Device } from '../../src/gpu/protocol.js';
import { findInteger, findText } from '../../src/linux/sysfs.js';
import { MetricsTable } from './metrics-table.js';

/** Units of hwmon per column unit. */
const [milli, micro] = [1e3, 1e6];

/** Opens a card in sysfs. @param library the columns that AMD SMI supports */
export function openCard(card: Card, library: readonly CardFeature[]): CardReader {
  const { folder } = card;
  const hwmon = card.hwmon['amdgpu'] ?? `${folder}/hwmon/none`;
  const sensors = [...bindSensors(hwmon), ...bindClocks(hwmon), ...bindActivity(folder)];
  const isSocket = findChannels(hwmon, 'in').some(([, label]) => label === 'vddnb');
  // In hwmon, the power of an integrated GPU is that of its socket.
  const files = isSocket ? sensors : [...sensors, ...bindPower(hwmon)];
  const plain = openTable(folder, listColumns(files));
  plain?.close();
  const isIntegrated = isSocket || plain?.isIntegrated === true;
  const isEnergyKnown = plain?.hasUnknownEnergy !== true;
  const preferred = library.filter((feature) => isPreferred(feature, files, { isIntegrated, isEnergyKnown }));
  const taken = listColumns(preferred);
  const rest = files.filter(({ columns }) => !columns.some((column) => isRead(column, taken)));
  const table = openTable(folder, listColumns([...preferred, ...rest]));
  const features = [...(table ? [table] : []), ...preferred, ...rest];
  return new CardReader(card, describeDevice(card, hwmon, { isIntegrated, taken }), features);
}

function listColumns(features: readonly CardFeature[]): ReadonlySet<string> {
  return new Set(features.flatMap(({ columns }) => columns));
}

const isPower = (column: string): boolean => /^power\.(?:instant|averaged)$/u.test(column);

/** Whether a column, or the same power in another way, is already read. */
function isRead(column: string, columns: ReadonlySet<string>): boolean {
  return columns.has(column) || (isPower(column) && [...columns].some(isPower));
}

/**
 * Whether a column is read with AMD SMI: not those of the whole socket, nor an energy counter in an
 * undocumented unit, nor temperatures in degrees if hwmon has millidegrees.
 */
function isPreferred(
  { columns }: CardFeature,
  files: readonly CardFeature[],
  { isIntegrated, isEnergyKnown }: { readonly isIntegrated: boolean; readonly isEnergyKnown: boolean },
): boolean {
  const hasEnergy = columns.includes('energy');
  if (isIntegrated && (hasEnergy || columns.some(isPower))) return false;
  if (hasEnergy && !isEnergyKnown) return false;
  const known = listColumns(files);
  return !columns.some((column) => column.startsWith('temperature.') && known.has(column));
}

/** The columns of the table that are not read in another way. */
function openTable(folder: string, columns: ReadonlySet<string>): MetricsTable | undefined {
  return MetricsTable.open(`${folder}/gpu_metrics`, (column) => isRead(column, columns));
}

interface Found {
  readonly isIntegrated: boolean;
  /** The columns that are read with AMD SMI. */
  readonly taken: ReadonlySet<string>;
}

function describeDevice(card: Card, hwmon: string, { isIntegrated, taken }: Found): CardReader['device'] {
  const { folder, address, product } = card;
  const find = (file: string) => findText(`${folder}/${file}`) || undefined;
  const maxMicrowatts = findInteger(`${hwmon}/power1_cap_max`);
  return {
    id: address,
    name: find('product_name') ?? `AMD GPU ${product}`,
    vendor: 'AMD',
    domain: isIntegrated ? undefined : `gpu/${address}`,
    parent: isIntegrated ? 'cpu-package-0' : undefined,
    interfaces: {
      energy: taken.has('energy') ? 'amd_smi' : 'amdgpu_gpu_metrics',
      power: [...taken].some(isPower) ? 'amd_smi_power' : 'amdgpu_power',
    },
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

/** The averaged or instantaneous power, and its limit. */
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
