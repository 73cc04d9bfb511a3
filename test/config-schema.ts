import { componentKinds } from '../src/component/kinds.js';
import { describeConfig } from '../src/config/json-schema.js';
import type { ComponentFolder } from './component-folders.js';

type Json = Readonly<Record<string, unknown>>;

/** A shorter setting is no longer than a reference to it. */
const minSharedLength = 120;

/** A JSON schema of the settings of all components. */
export function describeComponents(folders: readonly ComponentFolder[]): Json {
  const sections = componentKinds.map((kind) => {
    const schemas = folders
      .filter((folder) => folder.kind === kind)
      .map(({ type, factory }) => [type, factory.schema]);
    return [`${kind}s`, Object.fromEntries(schemas)];
  });
  return describeConfig(Object.fromEntries(sections));
}

/** The text of config/schema.json. */
export function renderConfigSchema(folders: readonly ComponentFolder[]): string {
  return `${JSON.stringify(shareSettings(describeComponents(folders)), undefined, 2)}\n`;
}

/** Moves settings that several components have into definitions named after the setting. */
function shareSettings(schema: Json): Json {
  const uses = new Map<string, number>();
  const names = new Map<string, string>();
  const shared: Record<string, unknown> = {};
  countSettings(schema, uses);

  const taken = new Set(Object.keys(schema['definitions'] as Json));
  const nameOf = (key: string, text: string) => {
    let name = names.get(text) ?? key;
    for (let i = 2; !names.has(text) && taken.has(name); i++) name = `${key}_${i}`;
    names.set(text, name);
    taken.add(name);
    return name;
  };
  const replaceSetting = ([key, setting]: readonly [string, unknown]) => {
    const text = JSON.stringify(setting);
    if ((uses.get(text) ?? 0) < 2) return [key, replaceIn(setting)];
    const name = nameOf(key, text);
    shared[name] ??= replaceIn(setting);
    return [key, { $ref: `#/definitions/${name}` }];
  };
  const replaceIn = (value: unknown): unknown =>
    mapJson(value, (key, part) =>
      key === 'properties'
        ? Object.fromEntries(Object.entries(part as Json).map(replaceSetting))
        : replaceIn(part),
    );

  const replaced = replaceIn(schema) as Json;
  return { ...replaced, definitions: { ...(schema['definitions'] as Json), ...shared } };
}

/** Counts the occurrences of each setting; settings nested in one that was counted before are counted with it. */
function countSettings(value: unknown, uses: Map<string, number>): void {
  mapJson(value, (key, part) => {
    for (const child of key === 'properties' ? Object.values(part as Json) : [part]) {
      const text = key === 'properties' ? JSON.stringify(child) : '';
      const before = uses.get(text) ?? 0;
      if (text.length >= minSharedLength) uses.set(text, before + 1);
      if (before === 0) countSettings(child, uses);
    }
  });
}

function mapJson(value: unknown, map: (key: string, part: unknown) => unknown): unknown {
  if (Array.isArray(value)) return value.map((part) => map('', part));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, part]) => [key, map(key, part)]));
}
