import { bindSensors } from '../../src/gpu/bind-hwmon.js';
import { bindFile, CardReader, type CardFeature } from '../../src/gpu/card-reader.js';
import type { CardKind } from '../../src/gpu/card-session.js';
import type { Card } from '../../src/gpu/cards.js';
import { drmTasks } from '../../src/gpu/drm-processes.js';
import { findInteger, findNames } from '../../src/linux/sysfs.js';
import { bindPmu, type PmuOptions } from './card-pmu.js';
import { family } from './config.js';

/** The cards of i915 and xe, from sysfs and their PMU. */
export function createIntelCards(options: PmuOptions): CardKind {
  return {
    ...family,
    open: (card) => openCard(card, options),
  };
}

const micro = 1e6;
/** Megahertz per hertz. */
const hertz = 1e-6;
/** The purpose of each graphics tile, by number. */
const domains: Readonly<Record<string, string>> = { gt0: 'graphics', gt1: 'media' };

function openCard(card: Card, options: PmuOptions): CardReader {
  const hwmon = card.hwmon[card.driver] ?? `${card.folder}/hwmon/none`;
  const { channel, energy } = bindMeter(hwmon);
  const files = [
    ...energy,
    ...bindLimit(`${hwmon}/power${channel}_max`),
    ...bindSensors(hwmon),
    ...listTiles(card).flatMap(bindTile),
  ];
  const columns = new Set(files.flatMap((feature) => feature.columns));
  const counters = bindPmu(options, card, (column) => columns.has(column));
  const hasEnergy = energy.length > 0;
  const maxMicrowatts = findInteger(`${hwmon}/power${channel}_rated_max`);
  return new CardReader(card, describeDevice(card, { hasEnergy, maxMicrowatts }), [...files, ...counters]);
}

/**
 * Microjoules, and the channel of energy and power: 1 is the card, 2 its package, which is all that xe has of some
 * cards (drivers/gpu/drm/xe/xe_hwmon.c). i915 only has channel 1.
 */
function bindMeter(hwmon: string): { channel: number; energy: readonly CardFeature[] } {
  for (const channel of [1, 2]) {
    const energy = bindFile('energy', `${hwmon}/energy${channel}_input`);
    if (energy.length > 0) return { channel, energy };
  }
  return { channel: 1, energy: [] };
}

/** Both drivers report a disabled limit as 0: PL1_DISABLE in xe_hwmon.c and i915_hwmon.c. */
function bindLimit(path: string): readonly CardFeature[] {
  return bindFile('power.limit', path, micro).map((file) => ({
    columns: file.columns,
    read(values, at) {
      file.read(values, at);
      if (values[at] === 0) values[at] = NaN;
    },
    close: () => file.close(),
  }));
}

interface Meter {
  readonly hasEnergy: boolean;
  /** The rated power of the channel whose energy is read. */
  readonly maxMicrowatts: number | undefined;
}

/** An integrated GPU has no meter of its own: it is part of the CPU package. */
function describeDevice(
  { address, driver, product }: Card,
  { hasEnergy, maxMicrowatts }: Meter,
): CardReader['device'] {
  return {
    id: address,
    name: `Intel GPU ${product}`,
    vendor: 'Intel',
    domain: hasEnergy ? `gpu/${address}` : undefined,
    parent: hasEnergy ? undefined : 'cpu-package-0',
    interfaces: { energy: `${driver}_hwmon`, power: `${driver}_hwmon` },
    tasks: drmTasks,
    hasTaskUtilization: false,
    serialNumber: undefined,
    firmwareVersion: undefined,
    driverVersion: driver,
    maxWatts: maxMicrowatts === undefined || maxMicrowatts === 0 ? NaN : maxMicrowatts / micro,
    temperatureLimits: [],
    columns: [],
    profileColumns: [],
  };
}

/** The folders of a graphics tile: of its clock, its sleep and its throttling reasons. */
interface Tile {
  readonly name: string;
  readonly clock: string;
  readonly idle: string;
  readonly throttle: string;
  /** Prefix of the reasons' names. */
  readonly prefix: string;
}

function listTiles(card: Card): readonly Tile[] {
  return card.driver === 'xe' ? listXeTiles(card) : listI915Tiles(card);
}

function listI915Tiles({ card }: Card): readonly Tile[] {
  const root = `${card}/gt`;
  const tiles = findNames(root).map((name) => describeI915(name, `${root}/${name}`));
  if (tiles.length > 0) return tiles;
  // Before Linux 5.18.
  return [
    {
      ...describeI915('gt0', card),
      clock: `${card}/gt_act_freq_mhz`,
      idle: `${card}/power/rc6_residency_ms`,
    },
  ];
}

function describeI915(name: string, folder: string): Tile {
  return {
    name,
    clock: `${folder}/rps_act_freq_mhz`,
    idle: `${folder}/rc6_residency_ms`,
    throttle: folder,
    prefix: 'throttle_reason_',
  };
}

function listXeTiles({ folder }: Card): readonly Tile[] {
  return findNames(folder)
    .filter((tile) => /^tile\d+$/u.test(tile))
    .flatMap((tile) =>
      findNames(`${folder}/${tile}`).map((name): [string, string] => [name, `${folder}/${tile}/${name}`]),
    )
    .filter(([name]) => /^gt\d+$/u.test(name))
    .map(([name, gt]) => ({
      name,
      clock: `${gt}/freq0/act_freq`,
      idle: `${gt}/gtidle/idle_residency_ms`,
      throttle: `${gt}/freq0/throttle`,
      prefix: 'reason_',
    }));
}

function bindTile({ name, clock, idle, throttle, prefix }: Tile): readonly CardFeature[] {
  const domain = domains[name] ?? name;
  const reasons = findNames(throttle).filter((file) => file.startsWith(prefix) && file !== `${prefix}status`);
  return [
    ...bindFile(`clock.${domain}`, clock, hertz),
    ...bindFile(`idle.${domain}`, idle, 1000),
    // A package is throttled as a whole: the reasons are those of its first tile.
    ...(name === 'gt0' ? reasons : []).flatMap((file) =>
      bindFile(`throttle.${file.slice(prefix.length)}`, `${throttle}/${file}`),
    ),
  ];
}
