import type { FileContent, Schema, Setting } from '../component/schema.js';
import { findEntry, type ConfigNode } from './node.js';
import type { Origin } from './problem.js';
import { findComponent, type ServiceConfig } from './service.js';
import { telemetrySchema } from './service-schema.js';
import { isGroupSetting, isListSetting, isSetting } from './settings.js';

/** A file that a start reads or writes. */
export interface NamedFile {
  readonly content: FileContent;
  /** As written. */
  readonly file: string;
  /** Of a private key: the file of its certificate, if one is named next to it. */
  readonly certificate?: string;
  /** Of rates: the minimum value. */
  readonly min?: number;
  /** Of a folder: whether it is created if it does not exist. */
  readonly isCreated?: boolean;
  /** Path of the setting. */
  readonly path: string;
  readonly origin: Origin | undefined;
  /** Whether a start continues without the component if it cannot use the file. */
  readonly isOptional: boolean;
}

/**
 * The files that a start needs: those that the settings of the telemetry and of all components in use name.
 * @param root the configuration that `service` was made from
 */
export function listNamedFiles(service: ServiceConfig, root: ConfigNode): readonly NamedFile[] {
  const used = new Set(
    service.pipelines.flatMap(({ receivers, processors, exporters }) => [
      ...receivers.map((id) => `receivers.${id}`),
      ...processors.map((id) => `processors.${id}`),
      ...exporters.map((id) => `exporters.${id}`),
    ]),
  );
  for (const id of service.runningExtensions) used.add(`extensions.${id}`);
  const { receivers, processors, exporters, extensions } = service;
  const ofComponents = Object.entries({ receivers, processors, exporters, extensions }).flatMap(
    ([section, components]) =>
      [...components.values()].flatMap(({ id, factory: { schema }, keys: { start } }) => {
        const path = `${section}.${id}`;
        const node = findComponent(root, section, id);
        return used.has(path) ? listFiles({ schema, node, path, isOptional: start === 'auto' }) : [];
      }),
  );
  const node = findEntry(findEntry(root, 'service')?.node, 'telemetry')?.node;
  const telemetry = { schema: telemetrySchema, node, path: 'service.telemetry', isOptional: false };
  return [...ofComponents, ...listFiles(telemetry)];
}

/** Written settings, with their schema. */
interface Level {
  readonly schema: Schema;
  readonly node: ConfigNode | undefined;
  readonly path: string;
  readonly isOptional: boolean;
}

function listFiles({ schema, node, path: above, isOptional }: Level): readonly NamedFile[] {
  // TLS that is switched off reads no certificates.
  if (node?.kind !== 'map' || textAt(node, 'insecure') === 'true') return [];
  return Object.entries(schema).flatMap(([key, part]): readonly NamedFile[] => {
    const entry = findEntry(node, key);
    if (entry === undefined) return [];
    const below = { node: entry.node, path: `${above}.${key}`, isOptional };
    if (!isSetting(part)) return listFiles({ ...below, schema: part });
    if (isGroupSetting(part)) return listFiles({ ...below, schema: part.settings });
    if (isListSetting(part)) return listItems({ ...below, schema: part.items });
    const { reads } = part;
    if (reads === undefined) return [];
    const need = describeNeed(part, { schema, node, path: above, isOptional });
    return listTexts(entry.node, below.path, entry.origin).map((text) =>
      Object.assign({ content: reads }, need, text),
    );
  });
}

/** What a setting, and those next to it, say about a file. */
function describeNeed({ reads, min, isOptional: isSpare }: Setting, level: Level) {
  const { node, isOptional } = level;
  const certificate = textAt(node, 'cert_file') ?? textAt(node, 'client_certificate');
  return {
    isOptional: isOptional || (isSpare === true && !isTrue(level, 'required')),
    ...(min !== undefined && { min }),
    ...(reads === 'private_key' && certificate !== undefined && { certificate }),
    ...(reads === 'folder' && { isCreated: isTrue(level, 'create_directory') }),
  };
}

/** Whether a setting, or its default, is true. */
function isTrue({ schema, node }: Level, key: string): boolean {
  const part = schema[key];
  const standard = part !== undefined && isSetting(part) ? part.default : false;
  return (textAt(node, key) ?? String(standard)) === 'true';
}

/** A path, or each of a list of paths. */
function listTexts(
  node: ConfigNode,
  path: string,
  origin: Origin | undefined,
): readonly Pick<NamedFile, 'file' | 'path' | 'origin'>[] {
  if (node.kind === 'list') {
    return node.items.flatMap((item, i) => listTexts(item, `${path}[${i}]`, item.origin));
  }
  const file = textOf(node);
  return file === undefined ? [] : [{ file, path, origin }];
}

function listItems({ node, path, ...rest }: Level): readonly NamedFile[] {
  const items = node?.kind === 'list' ? node.items : [];
  return items.flatMap((item, i) => listFiles({ ...rest, node: item, path: `${path}[${i}]` }));
}

function textAt(node: ConfigNode | undefined, key: string): string | undefined {
  return textOf(findEntry(node, key)?.node);
}

function textOf(found: ConfigNode | undefined): string | undefined {
  if (found?.kind !== 'scalar' || found.value === null) return undefined;
  return found.replaced?.text ?? String(found.value);
}
