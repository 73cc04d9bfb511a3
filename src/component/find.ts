import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { describeError } from '../errors.js';
import { requireRegularFile, UnusableFileError } from '../linux/regular-file.js';
import type { Factories } from './component.js';
import type { ComponentKind } from './kinds.js';

/** The folder that holds the folders of all kinds: the compiled tree, `dist`. */
export const componentRoot = new URL('../../', import.meta.url);

/** The compiled folder of a kind of components. */
function folderOf(kind: ComponentKind): URL {
  return new URL(`${kind}s/`, componentRoot);
}

/** The types in this package, by folder name, in alphabetical order. */
export function listBuiltInTypes(kind: ComponentKind): readonly string[] {
  const folder = folderOf(kind);
  if (!existsSync(folder)) return [];
  return readdirSync(folder, { withFileTypes: true })
    .filter((entry) => entry.isDirectory() && existsSync(new URL(`${entry.name}/factory.js`, folder)))
    .map((entry) => entry.name)
    .toSorted();
}

/** Finds factories: those of this package's folders, then those of installed packages. */
export interface FactoryFinder {
  /** @returns undefined if no component has this type */
  find<Kind extends ComponentKind>(kind: Kind, type: string): Promise<Factories[Kind] | undefined>;
  /** Known types, for messages. Others may be found, too. */
  list(kind: ComponentKind): readonly string[];
  /** What to use instead of a component of the OpenTelemetry Collector that does not exist here: `use "debug"`. */
  findReplacement(kind: ComponentKind, type: string): string | undefined;
  /** Where a type that was not found was searched. */
  describeSearch(kind: ComponentKind, type: string): string;
}

/**
 * Looks for `<kind>s/<type>/factory.js` here, then for the package `joulemetry-<kind>-<type>` (underscores may
 * be dashes) as resolved from some folders and from this package, so that third-party components need no
 * registration.
 * @param folders where packages are searched first, in this order: the working directory, those of the
 * configuration files
 * @throws Error when a component exists but cannot be loaded
 */
export function createFactoryFinder(...folders: readonly string[]): FactoryFinder {
  const searched = [...new Set([...folders.map((folder) => resolve(folder)), fileURLToPath(packageFolder)])];
  return {
    list: listBuiltInTypes,
    async find(kind, type) {
      const url = findBuiltIn(kind, type) ?? findInstalled(kind, type, searched) ?? findSame(kind, type);
      return url && loadFactory(kind, type, url);
    },
    findReplacement,
    describeSearch: (kind, type) => describeSearch(kind, type, searched),
  };
}

/** The finder of a command: searches from the working directory and the folders of its configuration files. */
export function createFinderFor(configFiles: readonly string[]): FactoryFinder {
  const folders = configFiles.map((file) => dirname(file.replace(/^file:/u, '')));
  return createFactoryFinder(process.cwd(), ...folders);
}

/** The folder of this package, or of the repository. Packages installed next to it are found from there. */
const packageFolder = new URL('..', componentRoot);

function findBuiltIn(kind: ComponentKind, type: string): URL | undefined {
  const url = new URL(`${type}/factory.js`, folderOf(kind));
  return existsSync(url) ? url : undefined;
}

/** The names of packages that may contain a type. */
function listPackages(kind: ComponentKind, type: string): readonly string[] {
  const names = new Set([type.replaceAll('_', '-'), type]);
  return [...names].map((name) => `joulemetry-${kind}-${name}`);
}

function findInstalled(kind: ComponentKind, type: string, folders: readonly string[]): URL | undefined {
  for (const name of listPackages(kind, type)) {
    const modules = folders.flatMap(listModuleFolders).find((each) => existsSync(join(each, name)));
    if (modules !== undefined) return pathToFileURL(resolvePackage(name, modules));
  }
  return undefined;
}

/** Node's search path: `node_modules` of a folder and of each folder above it. */
function listModuleFolders(folder: string): readonly string[] {
  return createRequire(join(folder, 'any.js')).resolve.paths('any') ?? [];
}

/** @throws Error when the package exists but cannot be used */
function resolvePackage(name: string, modules: string): string {
  try {
    // Node blocks on a FIFO, both when resolving and when importing. Resolving from inside reads no enclosing package.
    requireRegularFile(join(modules, name, 'package.json'));
    const path = createRequire(join(modules, 'any.js')).resolve(name);
    requireRegularFile(path);
    return path;
  } catch (error) {
    const reason = error instanceof UnusableFileError ? error.message : describeUnresolved(error);
    throw new Error(`Cannot resolve the package "${name}" in ${modules}: ${reason}`, { cause: error });
  }
}

function describeUnresolved(error: unknown): string {
  return `expected "exports" with a "default" condition, found ${describeError(error)}`;
}

function describeSearch(kind: ComponentKind, type: string, folders: readonly string[]): string {
  const [name] = listPackages(kind, type);
  return `searched for the package "${name}" from ${folders.join(', ')}`;
}

/** By kind, and name in the Collector. */
type CollectorNames = Readonly<Record<string, Readonly<Record<string, string>>>>;

/** The types that have other names here, and what to use instead of those that do not exist here. */
let collectorNames: { readonly same: CollectorNames; readonly other: CollectorNames } | undefined;

function findName(list: 'same' | 'other', kind: ComponentKind, type: string): string | undefined {
  // The file belongs to this package and has this layout.
  collectorNames ??= JSON.parse(
    readFileSync(new URL('config/collector-names.json', packageFolder), 'utf8'),
  ) as NonNullable<typeof collectorNames>;
  // Newer Collectors also have names with underscores: resource_detection for resourcedetection.
  const [known, plain] = [collectorNames[list][kind] ?? {}, type.replaceAll('_', '')];
  const name = [type, plain].find((one) => Object.hasOwn(known, one));
  return name === undefined ? undefined : known[name];
}

/** The component that has another name in the Collector, with the same settings. */
function findSame(kind: ComponentKind, type: string): URL | undefined {
  const name = findName('same', kind, type);
  return name === undefined ? undefined : findBuiltIn(kind, name);
}

function findReplacement(kind: ComponentKind, type: string): string | undefined {
  return findName('other', kind, type);
}

/** Imports a component's module and returns the factory that it exports. */
export async function loadFactory<Kind extends ComponentKind>(
  kind: Kind,
  type: string,
  url: URL,
): Promise<Factories[Kind]> {
  const loaded = await importModule(kind, type, url);
  const factory = loaded['factory'];
  if (!isFactory(kind, factory)) {
    const wanted = kind === 'receiver' ? 'schema, metrics, probe and create' : 'schema and create';
    throw new Error(
      `Cannot use ${kind} "${type}": expected an export "factory" with ${wanted}, found none in ${url.pathname}`,
    );
  }
  return factory;
}

async function importModule(kind: ComponentKind, type: string, url: URL): Promise<Record<string, unknown>> {
  try {
    // A module namespace is an object of its exports.
    return (await import(url.href)) as Record<string, unknown>;
  } catch (error) {
    throw new Error(`Cannot load ${kind} "${type}" from ${url.pathname}: ${describeError(error)}`, {
      cause: error,
    });
  }
}

function isFactory<Kind extends ComponentKind>(kind: Kind, value: unknown): value is Factories[Kind] {
  if (typeof value !== 'object' || value === null) return false;
  const has = (name: string) => name in value;
  const isReceiver = kind !== 'receiver' || (has('metrics') && has('probe'));
  return has('schema') && has('create') && isReceiver;
}
