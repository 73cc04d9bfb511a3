import { arch, hostname } from 'node:os';
import { join } from 'node:path';
import type { Log } from '../../src/component/log.js';
import { readResourceEnvironment } from '../../src/component/resource-environment.js';
import { findMachineId } from '../../src/identity/machine-id.js';
import { findText } from '../../src/linux/sysfs.js';
import { ATTR_HOST_ID, ATTR_HOST_NAME } from '../../src/model/semantic-conventions.js';
import type { Attributes } from '../../src/model/series.js';

/** The detectors by their names in the configuration. */
export const detectorNames = ['env', 'host', 'os'];

/** Where detectors look. */
export interface DetectOptions {
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
export function detectAttributes(detectors: readonly string[], options: DetectOptions): Attributes {
  const found = detectors.map((name) => detectOne(name, options));
  return Object.assign({}, ...found.toReversed());
}

function detectOne(name: string, options: DetectOptions): Attributes {
  const { environment, log } = options;
  if (name === 'env') return readResourceEnvironment(environment, (message) => log.warn(message));
  return name === 'host' ? detectHost(options) : detectOs(options);
}

function detectHost({ root }: DetectOptions): Attributes {
  const id = findMachineId(root);
  return {
    [ATTR_HOST_NAME]: hostname(),
    'host.arch': archNames[arch()] ?? arch(),
    ...(id !== undefined && { [ATTR_HOST_ID]: id }),
  };
}

function detectOs({ root }: DetectOptions): Attributes {
  const release = findText(join(root, 'etc/os-release')) ?? findText(join(root, 'usr/lib/os-release')) ?? '';
  const { NAME, VERSION_ID, PRETTY_NAME } = parseOsRelease(release);
  return {
    'os.type': 'linux',
    ...(NAME !== undefined && { 'os.name': NAME }),
    ...(VERSION_ID !== undefined && { 'os.version': VERSION_ID }),
    ...(PRETTY_NAME !== undefined && { 'os.description': PRETTY_NAME }),
  };
}

/** The variables that a resource needs from os-release(5). */
interface OsRelease {
  readonly NAME?: string;
  readonly VERSION_ID?: string;
  readonly PRETTY_NAME?: string;
}

/** The assignments of os-release(5), a small part of shell syntax: values plain, in single or double quotes. */
export function parseOsRelease(text: string): OsRelease {
  const assignments = text.matchAll(/^\s*([A-Z_\d]+)=(?:"((?:[^"\\]|\\.)*)"|'([^']*)'|(.*?))\s*$/gm);
  return Object.fromEntries(
    [...assignments].map(([, name, double, single, plain]) => [name, unescape(double) ?? single ?? plain]),
  );
}

function unescape(value: string | undefined): string | undefined {
  return value?.replaceAll(/\\(.)/g, '$1');
}
