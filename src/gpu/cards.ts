import { readlinkSync, realpathSync } from 'node:fs';
import { basename } from 'node:path';
import { UnavailableError } from '../errors.js';
import { findNames, findText } from '../linux/sysfs.js';

/** A GPU of the kernel's direct rendering manager that is a PCI device. */
export interface Card {
  /** `/sys/class/drm/card0/device`. */
  readonly folder: string;
  /** `/sys/class/drm/card0`. */
  readonly card: string;
  /** `0000:03:00.0`. */
  readonly address: string;
  /** The kernel module: `amdgpu`. */
  readonly driver: string;
  /** The PCI device id, `0x74a1`. */
  readonly product: string;
  /** The folder of its first hwmon device with each name. */
  readonly hwmon: Readonly<Record<string, string>>;
}

/** The cards of a vendor. */
export interface CardFamily {
  /** For messages: `AMD`. */
  readonly vendor: string;
  /** The kernel modules of its GPUs. */
  readonly drivers: readonly string[];
}

/** The cards with one of these drivers, by PCI address. */
export function findCards(sysfs: string, drivers: readonly string[]): readonly Card[] {
  const root = `${sysfs}/class/drm`;
  return findNames(root)
    .filter((name) => /^card\d+$/u.test(name))
    .flatMap((name) => describeCard(`${root}/${name}`) ?? [])
    .filter(({ driver }) => drivers.includes(driver))
    .toSorted((a, b) => (a.address < b.address ? -1 : 1));
}

/** Why a machine without cards cannot be read. */
export function createMissing({ vendor, drivers }: CardFamily, sysfs: string): UnavailableError {
  return new UnavailableError(
    `Cannot find a GPU of ${vendor}: expected a card of ${drivers.join(' or ')} in ${sysfs}/class/drm, found none`,
  );
}

function describeCard(card: string): Card | undefined {
  const folder = `${card}/device`;
  const address = findPlace(folder);
  const driver = findTarget(`${folder}/driver`);
  if (address === undefined || driver === undefined) return undefined;
  const product = findText(`${folder}/device`) ?? 'unknown';
  return { folder, card, address, driver, product, hwmon: findHwmon(`${folder}/hwmon`) };
}

function findHwmon(root: string): Readonly<Record<string, string>> {
  const entries = findNames(root).map((id): [string, string] => [
    findText(`${root}/${id}/name`) ?? id,
    `${root}/${id}`,
  ]);
  return Object.fromEntries(entries.toReversed());
}

/** The PCI address of a device; undefined if it has none, or is gone. */
function findPlace(folder: string): string | undefined {
  try {
    const name = basename(realpathSync(folder));
    return /^[0-9a-f]{4,}:[0-9a-f]{2}:[0-9a-f]{2}\.[0-7]$/u.test(name) ? name : undefined;
  } catch {
    return undefined;
  }
}

function findTarget(link: string): string | undefined {
  try {
    return basename(readlinkSync(link));
  } catch {
    return undefined;
  }
}

/** Whether a GPU is suspended until it is used: reading its sensors would wake it up. */
export function isSuspended({ folder }: Pick<Card, 'folder'>): boolean {
  return findText(`${folder}/power/runtime_status`) === 'suspended';
}
