import type { FileContent, Schema } from '../component/schema.js';
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
  const certificate = textAt(node, 'cert_file') ?? textAt(node, 'client_certificate');
  return Object.entries(schema).flatMap(([key, part]): readonly NamedFile[] => {
    const entry = findEntry(node, key);
    if (entry === undefined) return [];
    const below = { node: entry.node, path: `${above}.${key}`, isOptional };
    if (!isSetting(part)) return listFiles({ ...below, schema: part });
    if (isGroupSetting(part)) return listFiles({ ...below, schema: part.settings });
    if (isListSetting(part)) return listItems({ ...below, schema: part.items });
    const file = textAt(node, key);
    if (part.reads === undefined || file === undefined) return [];
    const pair = part.reads === 'private_key' && certificate !== undefined ? { certificate } : {};
    const { origin } = entry;
    return [{ content: part.reads, file, path: below.path, origin, isOptional, ...pair }];
  });
}

function listItems({ node, path, ...rest }: Level): readonly NamedFile[] {
  const items = node?.kind === 'list' ? node.items : [];
  return items.flatMap((item, i) => listFiles({ ...rest, node: item, path: `${path}[${i}]` }));
}

function textAt(node: ConfigNode, key: string): string | undefined {
  const found = findEntry(node, key)?.node;
  if (found?.kind !== 'scalar' || found.value === null) return undefined;
  return found.replaced?.text ?? String(found.value);
}
