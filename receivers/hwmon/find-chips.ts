import { readdir, readFile, realpath } from 'node:fs/promises';
import { basename, join, relative } from 'node:path';
import { isOutOfDescriptors } from '../../src/errors.js';
import { PoolShare } from '../../src/scraping/pool-share.js';
import { waitBriefly } from '../../src/scraping/wait-briefly.js';
import { answerMs, channelTypes, nameSensor, type Channel, type ChannelType, type Chip } from './channels.js';
import { findMicrovolts } from './pairing-rules.js';

/** The averaging time of anything but power is unknown. */
const filePattern = new RegExp(`^(${channelTypes.join('|')})(\\d+)_(input|(?<=power\\d+_)average)$`, 'u');

/** A chip before ids are made unique. */
interface FoundChip extends Chip {
  readonly folder: string;
}

/**
 * Searches the chips that currently have a sensor, again and again. Fast: most files that describe sensors are
 * answered by the kernel itself, and no reading is requested from a chip. Some drivers ask their chip whether a
 * sensor is enabled, and may hang.
 */
export class ChipSearch {
  /** By path: what was last found there. */
  readonly #known = new Map<string, FoundChip>();
  /** Paths whose drivers have not answered an earlier search yet: another question would block another thread. */
  readonly #unanswered = new Set<string>();

  readonly #pool: PoolShare;

  /** @param pool shared with readings */
  constructor(pool = new PoolShare()) {
    this.#pool = pool;
  }

  /** @returns the chips in a stable order; one whose driver does not answer, as it was before */
  async find(sysfs: string): Promise<readonly Chip[]> {
    const root = join(sysfs, 'class/hwmon');
    const names = (await listNames(root)).toSorted((a, b) => a.localeCompare(b, 'en', { numeric: true }));
    for (const path of this.#known.keys()) if (!names.includes(basename(path))) this.#known.delete(path);
    const found: FoundChip[] = [];
    for (const name of names) found.push(...(await this.#findOne(sysfs, join(root, name))));
    const boards = await findOldJetsonChips(sysfs);
    const chips = distinguish([...found, ...boards]).filter(({ channels }) => channels.length > 0);
    return chips.map(({ id, name, label, measures, channels }) => ({ id, name, label, measures, channels }));
  }

  async #findOne(sysfs: string, path: string): Promise<readonly FoundChip[]> {
    if (!this.#unanswered.has(path) && !this.#pool.isTaken) {
      this.#unanswered.add(path);
      const description = this.#pool
        .run(() => describeChip(sysfs, path))
        .then((chip) => this.#known.set(path, chip))
        .finally(() => this.#unanswered.delete(path));
      await waitBriefly([description], answerMs);
    }
    const chip = this.#known.get(path);
    return chip === undefined ? [] : [chip];
  }
}

/** The chips that currently have a sensor. */
export function findChips(sysfs: string): Promise<readonly Chip[]> {
  return new ChipSearch().find(sysfs);
}

async function describeChip(sysfs: string, folder: string): Promise<FoundChip> {
  const device = join(folder, 'device');
  const name = (await findLine(join(folder, 'name'))) ?? (await findLine(join(device, 'name'))) ?? '';
  const own = await findChannels(folder, name);
  // Older drivers have their files in the device's folder.
  const channels = own.length > 0 ? own : await findChannels(device, name);
  const measures = await listNames(join(device, 'measures'));
  const label = (await findLine(join(folder, 'label'))) || undefined;
  return { id: await findId(sysfs, folder, name), name, label, measures, channels, folder: basename(folder) };
}

/** The path of the device, or else the chip's name, or else its folder's name. */
async function findId(sysfs: string, folder: string, name: string): Promise<string> {
  const devices = await realpath(join(sysfs, 'devices')).catch(() => join(sysfs, 'devices'));
  for (const path of [join(folder, 'device'), folder]) {
    const real = await realpath(path).catch(() => '');
    const id = relative(devices, real.replace(/(?:\/hwmon)?\/hwmon\d+$/u, ''));
    if (real !== '' && id !== '' && id !== 'virtual' && !id.startsWith('..')) return id;
  }
  return name === '' ? basename(folder) : `virtual/${name}`;
}

/** Several chips may belong to one device and have the same name. */
function distinguish(chips: readonly FoundChip[]): readonly FoundChip[] {
  const named = qualify(chips, ({ name }) => name);
  return qualify(named, ({ folder }) => folder);
}

/** Adds a distinguishing suffix to equal ids. */
function qualify(chips: readonly FoundChip[], nameOf: (chip: FoundChip) => string): readonly FoundChip[] {
  const counts = new Map<string, number>();
  for (const { id } of chips) counts.set(id, (counts.get(id) ?? 0) + 1);
  return chips.map((chip) => {
    return counts.get(chip.id) === 1 ? chip : { ...chip, id: `${chip.id}:${nameOf(chip)}` };
  });
}

async function findChannels(folder: string, chipName: string): Promise<readonly Channel[]> {
  const names = new Set(await listNames(folder));
  const found: Channel[] = [];
  for (const name of names) {
    const [, type, digits, item] = filePattern.exec(name) ?? [];
    if (type === undefined || digits === undefined || item === undefined) continue;
    const sensor = { type: type as ChannelType, index: Number(digits), item };
    if ((await readOptional(folder, names, `${type}${digits}_enable`)) === '0') continue;
    found.push(await describeChannel(folder, names, { ...sensor, chipName }));
  }
  return found.toSorted(compareChannels);
}

async function describeChannel(
  folder: string,
  names: ReadonlySet<string>,
  { type, index, item, chipName }: Pick<Channel, 'type' | 'index' | 'item'> & { readonly chipName: string },
): Promise<Channel> {
  const sensor = nameSensor({ type, index });
  const interval = await readOptional(folder, names, `${sensor}_average_interval`);
  const label =
    (await readOptional(folder, names, `${sensor}_label`)) ??
    (await readOptional(folder, names, `${sensor}_oem_info`));
  const fault = `${sensor}_fault`;
  return {
    type,
    index,
    item,
    path: join(folder, `${sensor}_${item}`),
    label: label === '' ? undefined : label,
    scale: type === 'in' && findMicrovolts(chipName).includes(index) ? 1e-3 : 1,
    windowMs: item === 'average' && /^\d+$/u.test(interval ?? '') ? Number(interval) : undefined,
    faultPath: names.has(fault) ? join(folder, fault) : undefined,
  };
}

function compareChannels(a: Channel, b: Channel): number {
  const byType = channelTypes.indexOf(a.type) - channelTypes.indexOf(b.type);
  return byType || a.index - b.index || (a.item < b.item ? 1 : -1);
}

/**
 * The INA3221 of Jetson boards with a kernel of JetPack 4 and older, whose driver `ina3221x` is not a hwmon
 * driver: `/sys/bus/i2c/drivers/ina3221x/<bus>-<address>/iio:device<n>/`.
 */
async function findOldJetsonChips(sysfs: string): Promise<readonly FoundChip[]> {
  const driver = join(sysfs, 'bus/i2c/drivers/ina3221x');
  const devices = (await listNames(driver)).filter((name) => /^\d+-[0-9a-f]+$/u.test(name)).toSorted();
  const chips: FoundChip[] = [];
  for (const device of devices) {
    for (const part of await listNames(join(driver, device))) {
      if (!part.startsWith('iio')) continue;
      const channels = await findIioChannels(join(driver, device, part));
      const id = await findId(sysfs, join(driver, device), '');
      chips.push({ id, name: 'ina3221', label: undefined, measures: [], channels, folder: device });
    }
  }
  return chips;
}

/** Millivolts, milliamperes and milliwatts of up to three rails, numbered from 0. */
const iioFiles = [
  { type: 'in', name: 'in_voltage', scale: 1 },
  { type: 'curr', name: 'in_current', scale: 1 },
  { type: 'power', name: 'in_power', scale: 1e3 },
] as const;

async function findIioChannels(folder: string): Promise<readonly Channel[]> {
  const names = new Set(await listNames(folder));
  const found: Channel[] = [];
  for (const { type, name, scale } of iioFiles) {
    for (const index of [0, 1, 2]) {
      const file = `${name}${index}_input`;
      if (!names.has(file)) continue;
      const label =
        (await readOptional(folder, names, `rail_name_${index}`)) ??
        (await readOptional(folder, names, `rail_name${index}`));
      const path = join(folder, file);
      const own = { type, index: index + 1, item: 'input', path, label, scale };
      found.push({ ...own, windowMs: undefined, faultPath: undefined });
    }
  }
  return found;
}

async function readOptional(
  folder: string,
  names: ReadonlySet<string>,
  name: string,
): Promise<string | undefined> {
  return names.has(name) ? findLine(join(folder, name)) : undefined;
}

/** The first line of a file; undefined if it cannot be read. */
async function findLine(path: string): Promise<string | undefined> {
  try {
    const [line = ''] = (await readFile(path, 'utf8')).split('\n');
    return line.trim();
  } catch (error) {
    if (isOutOfDescriptors(error)) throw error;
    return undefined;
  }
}

async function listNames(path: string): Promise<readonly string[]> {
  try {
    return await readdir(path);
  } catch (error) {
    if (isOutOfDescriptors(error)) throw error;
    return [];
  }
}
