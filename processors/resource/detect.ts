import { arch, hostname } from 'node:os';
import { join } from 'node:path';
import type { Log } from '../../src/component/log.js';
import { readResourceEnvironment } from '../../src/component/resource-environment.js';
import { findText } from '../../src/linux/sysfs.js';
import type { Attributes } from '../../src/model/series.js';
import { parseOsRelease } from './os-release.js';

/** The detectors by their names in the configuration. */
export const detectorNames = ['env', 'host', 'os'];

/** Where detectors look. */
export interface Surroundings {
  /** The folder that holds the machine's `etc`. */
  readonly root: string;
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly log: Log;
}

/** Node's names of architectures that the semantic conventions call otherwise. */
const archNames: Readonly<Record<string, string>> = {
  x64: 'amd64',
  ia32: 'x86',
  arm: 'arm32',
  ppc: 'ppc32',
};

/** What the detectors find, the first one winning. */
export function detect(detectors: readonly string[], surroundings: Surroundings): Attributes {
  const found = detectors.map((name) => detectOne(name, surroundings));
  return Object.assign({}, ...found.toReversed());
}

function detectOne(name: string, surroundings: Surroundings): Attributes {
  const { environment, log } = surroundings;
  if (name === 'env') return readResourceEnvironment(environment, (message) => log.warn(message));
  return name === 'host' ? detectHost(surroundings) : detectOs(surroundings);
}

function detectHost({ root }: Surroundings): Attributes {
  const id = findText(join(root, 'etc/machine-id'));
  return {
    'host.name': hostname(),
    'host.arch': archNames[arch()] ?? arch(),
    // systemd writes "uninitialized" on an image's first boot.
    ...(id !== undefined && /^[0-9a-f]{32}$/.test(id) && { 'host.id': id }),
  };
}

function detectOs({ root }: Surroundings): Attributes {
  const release = findText(join(root, 'etc/os-release')) ?? findText(join(root, 'usr/lib/os-release')) ?? '';
  const { NAME, VERSION_ID, PRETTY_NAME } = parseOsRelease(release);
  return {
    'os.type': 'linux',
    ...(NAME !== undefined && { 'os.name': NAME }),
    ...(VERSION_ID !== undefined && { 'os.version': VERSION_ID }),
    ...(PRETTY_NAME !== undefined && { 'os.description': PRETTY_NAME }),
  };
}
