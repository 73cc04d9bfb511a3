import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { Factories } from '../component/component.js';
import { loadFactory } from '../component/find.js';
import { componentKinds, type ComponentKind } from '../component/kinds.js';
import { describeError } from '../errors.js';

/** A component under test. */
export interface Subject<Kind extends ComponentKind = ComponentKind> {
  readonly kind: Kind;
  readonly type: string;
  readonly factory: Factories[Kind];
  /** The text of its README. */
  readonly readme: string;
  /** Paths of its test files. */
  readonly testFiles: readonly string[];
}

const packageName = new RegExp(
  `^(?:@[^/]+/)?joulemetry-(?<kind>${componentKinds.join('|')})-(?<type>.+)$`,
  'u',
);

/**
 * The component of a third party in the folder of its package.
 * @throws Error if the folder contains no such package, or its component cannot be loaded
 */
export async function loadComponentPackage(folder: string): Promise<Subject> {
  const name = readName(folder);
  const { kind, type = '' } = packageName.exec(name)?.groups ?? {};
  if (!isKind(kind)) {
    const expected = 'a name such as "joulemetry-receiver-meter"';
    throw new Error(`Cannot use the package in ${folder}: expected ${expected}, found "${name}"`);
  }
  const readme = join(folder, 'README.md');
  const component = type.replaceAll('-', '_');
  return {
    kind,
    type: component,
    factory: await loadFactory(kind, component, pathToFileURL(resolveMain(folder, name))),
    readme: existsSync(readme) ? readFileSync(readme, 'utf8') : '',
    testFiles: listTestFiles(folder),
  };
}

function isKind(kind: string | undefined): kind is ComponentKind {
  return componentKinds.some((known) => known === kind);
}

function readName(folder: string): string {
  const path = join(folder, 'package.json');
  try {
    const manifest = JSON.parse(readFileSync(path, 'utf8')) as { readonly name?: unknown };
    return String(manifest.name);
  } catch (cause) {
    throw new Error(`Cannot read ${path}: ${describeError(cause)}`, { cause });
  }
}

/** Resolved as from another package. */
function resolveMain(folder: string, name: string): string {
  try {
    return createRequire(join(resolve(folder), 'package.json')).resolve(name);
  } catch (cause) {
    const expected = '"exports" with a "default" condition';
    throw new Error(
      `Cannot resolve ${name} in ${folder}: expected ${expected}, found ${describeError(cause)}`,
      {
        cause,
      },
    );
  }
}

function listTestFiles(folder: string): readonly string[] {
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    if (entry.name === 'node_modules') return [];
    const path = join(folder, entry.name);
    if (entry.isDirectory()) return listTestFiles(path);
    return /\.test\.[cm]?[jt]s$/u.test(entry.name) ? [path] : [];
  });
}
