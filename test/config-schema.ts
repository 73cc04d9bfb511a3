import { componentKinds } from '../src/component/component.js';
import { describeConfig } from '../src/config/json-schema.js';
import type { ComponentFolder } from './component-folders.js';

/** The text of config/schema.json. */
export function renderConfigSchema(folders: readonly ComponentFolder[]): string {
  const sections = componentKinds.map((kind) => {
    const schemas = folders
      .filter((folder) => folder.kind === kind)
      .map(({ type, factory }) => [type, factory.schema]);
    return [`${kind}s`, Object.fromEntries(schemas)];
  });
  return `${JSON.stringify(describeConfig(Object.fromEntries(sections)), undefined, 2)}\n`;
}
