import { readFileSync } from 'node:fs';
import type { Factories } from '../src/component/component.js';
import { createFactoryFinder, listBuiltInTypes } from '../src/component/find.js';
import { componentKinds, type ComponentKind } from '../src/component/kinds.js';

/** The root of the repository, relative to the compiled file. */
export const repositoryRoot = new URL('../../', import.meta.url);

/** A component of this package. */
export interface ComponentFolder {
  readonly kind: ComponentKind;
  readonly type: string;
  readonly factory: Factories[ComponentKind];
  readonly readmeUrl: URL;
  readonly readme: string;
}

/** Every component folder of this repository, found by its name. */
export async function loadComponentFolders(): Promise<readonly ComponentFolder[]> {
  const finder = createFactoryFinder(process.cwd());
  const names = componentKinds.flatMap((kind) => listBuiltInTypes(kind).map((type) => ({ kind, type })));
  return Promise.all(
    names.map(async ({ kind, type }) => {
      const factory = await finder.find(kind, type);
      if (!factory) throw new Error(`Cannot find the ${kind} "${type}" that was listed`);
      const readmeUrl = new URL(`${kind}s/${type}/README.md`, repositoryRoot);
      return { kind, type, factory, readmeUrl, readme: readFileSync(readmeUrl, 'utf8') };
    }),
  );
}
