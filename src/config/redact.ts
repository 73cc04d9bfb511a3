import type { ComponentConfigs } from './components.js';
import { hideCredentials } from './hide-credentials.js';
import { plainOf, type ConfigNode, type MapEntry } from './node.js';
import type { Schema } from './schema.js';
import type { ServiceConfig } from './service.js';
import { telemetrySchema } from './service-schema.js';
import { isGroupSetting, isListSetting, isSetting } from './settings.js';
import type { ComponentKind } from '../component/component.js';

const redacted = '[REDACTED]';

/** The plain value of a whole configuration in which every secret is replaced. */
export function redactConfig(root: ConfigNode, config: ServiceConfig): unknown {
  if (root.kind !== 'map') return plainOf(root);
  const sections: Readonly<Record<string, ComponentConfigs<ComponentKind>>> = {
    receivers: config.receivers,
    processors: config.processors,
    exporters: config.exporters,
    extensions: config.extensions,
  };
  return mapEntries(root, (name, { node }) => {
    const components = Object.hasOwn(sections, name) ? sections[name] : undefined;
    if (components) return redactSection(node, components);
    return name === 'service' ? redactSettings(node, { telemetry: telemetrySchema }) : plainOf(node);
  });
}

function redactSection(section: ConfigNode, components: ComponentConfigs<ComponentKind>): unknown {
  if (section.kind !== 'map') return plainOf(section);
  return mapEntries(section, (id, { node }) => {
    const schema = components.get(id.trim())?.factory.schema;
    return schema ? redactSettings(node, schema) : plainOf(node);
  });
}

function redactSettings(node: ConfigNode, schema: Schema): unknown {
  if (node.kind !== 'map') return plainOf(node);
  return mapEntries(node, (key, entry) => {
    const part = Object.hasOwn(schema, key) ? schema[key] : undefined;
    return part ? redactPart(entry.node, part) : plainOf(entry.node);
  });
}

function redactPart(node: ConfigNode, part: Schema[string]): unknown {
  if (!isSetting(part)) return redactSettings(node, part);
  if (isListSetting(part)) {
    return node.kind === 'list' ? node.items.map((item) => redactSettings(item, part.items)) : plainOf(node);
  }
  if (isGroupSetting(part)) return redactSettings(node, part.settings);
  if (part.sensitive !== true) return hideUser(plainOf(node));
  // The names in a map, say of headers, are no secret and help to find a mistake.
  return node.kind === 'map' ? mapEntries(node, () => redacted) : redacted;
}

/** Addresses may say who logs in. */
function hideUser(value: unknown): unknown {
  return typeof value === 'string' && value.includes('://') ? hideCredentials(value) : value;
}

function mapEntries(
  node: ConfigNode & { readonly kind: 'map' },
  map: (key: string, entry: MapEntry) => unknown,
): Record<string, unknown> {
  return Object.fromEntries([...node.entries].map(([key, entry]) => [key, map(key, entry)]));
}
