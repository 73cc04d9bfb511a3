import { existsSync, readdirSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { ComponentKind, Factories } from './component.js';
import { describeError } from './errors.js';

/** The folder that holds the folders of all kinds: the compiled tree, `dist`. */
export const componentRoot = new URL('../../', import.meta.url);

/** The folder of a built-in component's kind, compiled. */
function folderOf(kind: ComponentKind): URL {
  return new URL(`${kind}s/`, componentRoot);
}

/** The types that come with this package, by their folders' names, in alphabetical order. */
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
  /** @returns undefined when nobody has a component of this type */
  find<Kind extends ComponentKind>(kind: Kind, type: string): Promise<Factories[Kind] | undefined>;
  /** Types that are known to be there, for messages. Others may be found, too. */
  list(kind: ComponentKind): readonly string[];
}

/**
 * Looks for `<kind>s/<type>/factory.js` here, then for the package `joulemetry-<kind>-<type>` (underscores may
 * be dashes) as seen from a folder, so that third-party components need no registration.
 * @param workingDirectory where installed packages are looked for
 * @throws Error when a component is there but cannot be loaded
 */
export function createFactoryFinder(workingDirectory: string): FactoryFinder {
  return {
    list: listBuiltInTypes,
    async find(kind, type) {
      const url = findBuiltIn(kind, type) ?? findInstalled(kind, type, workingDirectory);
      return url && loadFactory(kind, type, url);
    },
  };
}

function findBuiltIn(kind: ComponentKind, type: string): URL | undefined {
  const url = new URL(`${type}/factory.js`, folderOf(kind));
  return existsSync(url) ? url : undefined;
}

function findInstalled(kind: ComponentKind, type: string, workingDirectory: string): URL | undefined {
  const resolver = createRequire(join(workingDirectory, 'package.json'));
  for (const name of new Set([type.replaceAll('_', '-'), type])) {
    try {
      return pathToFileURL(resolver.resolve(`joulemetry-${kind}-${name}`));
    } catch (error) {
      // Not installed is an answer; a package that is there but cannot be resolved is an error.
      const isMissing = error instanceof Error && 'code' in error && error.code === 'MODULE_NOT_FOUND';
      if (!isMissing) throw new Error(describeUnresolved(name, kind, error), { cause: error });
    }
  }
  return undefined;
}

function describeUnresolved(name: string, kind: ComponentKind, error: unknown): string {
  const wanted = 'wanted "exports" with a "default" condition';
  return `Cannot resolve the package "joulemetry-${kind}-${name}": ${describeError(error)}, ${wanted}`;
}

async function loadFactory<Kind extends ComponentKind>(
  kind: Kind,
  type: string,
  url: URL,
): Promise<Factories[Kind]> {
  const loaded = await importModule(kind, type, url);
  const factory = loaded['factory'];
  if (!isFactory(kind, factory)) {
    const wanted = kind === 'receiver' ? 'schema, metrics, probe and create' : 'schema and create';
    throw new Error(`Cannot use ${kind} "${type}": ${url.pathname} exports no "factory" with ${wanted}`);
  }
  return factory;
}

async function importModule(kind: ComponentKind, type: string, url: URL): Promise<Record<string, unknown>> {
  try {
    // A module's namespace is an object of whatever it exports.
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
