import type { ComponentKind } from '../component/kinds.js';
import type { Schema } from '../component/schema.js';
import { normalizeId, type ComponentConfigs } from './components.js';
import { hideCredentials } from './endpoint.js';
import { plainOfSetting } from './formats.js';
import { plainOf, type ConfigNode, type MapEntry } from './node.js';
import type { ServiceConfig } from './service.js';
import { pipelineSchema, receiverKeys, serviceSchema } from './service-schema.js';
import { isGroupSetting, isListSetting, isSetting } from './settings.js';

const redacted = '[REDACTED]';

/**
 * The plain value of a whole configuration, as components receive it: texts stay texts, even if YAML would read
 * the value of a reference differently.
 * @param isRedacted whether secrets are replaced
 */
export function printableConfig(root: ConfigNode, config: ServiceConfig, isRedacted: boolean): unknown {
  if (root.kind !== 'map') return plainOf(root);
  const printer = new Printer(isRedacted);
  const sections: Readonly<Record<string, ComponentConfigs<ComponentKind>>> = {
    receivers: config.receivers,
    processors: config.processors,
    exporters: config.exporters,
    extensions: config.extensions,
  };
  return mapEntries(root, (name, { node }) => {
    const components = Object.hasOwn(sections, name) ? sections[name] : undefined;
    if (components) return printer.printSection(node, components);
    return name === 'service' ? printer.printService(node) : plainOf(node);
  });
}

class Printer {
  readonly #isRedacted: boolean;

  constructor(isRedacted: boolean) {
    this.#isRedacted = isRedacted;
  }

  printSection(section: ConfigNode, components: ComponentConfigs<ComponentKind>): unknown {
    if (section.kind !== 'map') return plainOf(section);
    return mapEntries(section, (id, { node }) => {
      const component = components.get(normalizeId(id));
      if (!component) return plainOf(node);
      const { kind, factory } = component;
      const schema: Schema = kind === 'receiver' ? { ...factory.schema, ...receiverKeys } : factory.schema;
      return this.#printSettings(node, schema);
    });
  }

  printService(service: ConfigNode): unknown {
    if (service.kind !== 'map') return plainOf(service);
    return mapEntries(service, (key, { node }) => {
      if (key !== 'pipelines' || node.kind !== 'map') return this.#printKnown(key, node, serviceSchema);
      return mapEntries(node, (_, pipeline) => this.#printSettings(pipeline.node, pipelineSchema));
    });
  }

  #printSettings(node: ConfigNode, schema: Schema): unknown {
    if (node.kind !== 'map') return plainOf(node);
    return mapEntries(node, (key, entry) => this.#printKnown(key, entry.node, schema));
  }

  #printKnown(key: string, node: ConfigNode, schema: Schema): unknown {
    const part = Object.hasOwn(schema, key) ? schema[key] : undefined;
    return part === undefined ? plainOf(node) : this.#printPart(node, part);
  }

  #printPart(node: ConfigNode, part: Schema[string]): unknown {
    if (!isSetting(part)) return this.#printSettings(node, part);
    if (isListSetting(part)) {
      if (node.kind !== 'list') return plainOf(node);
      return node.items.map((item) => this.#printSettings(item, part.items));
    }
    if (isGroupSetting(part)) return this.#printSettings(node, part.settings);
    if (!this.#isRedacted) return plainOfSetting(part, node);
    if (part.sensitive !== true) return hideUser(plainOfSetting(part, node));
    // The keys of a map, for example of headers, are not secret and help to find mistakes.
    return node.kind === 'map' ? mapEntries(node, () => redacted) : redacted;
  }
}

/** Addresses may contain credentials, also in a list or a map. */
function hideUser(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(hideUser);
  if (typeof value === 'object' && value !== null) {
    return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, hideUser(item)]));
  }
  return typeof value === 'string' && mayHaveCredentials.test(value) ? hideCredentials(value) : value;
}

/** An address with a scheme, or `user:password@host`; not `someone@host`, which need not be an address. */
const mayHaveCredentials = /:\/\/|^[^\s/?#@:]*:[^\s/?#]*@/u;

function mapEntries(
  node: ConfigNode & { readonly kind: 'map' },
  map: (key: string, entry: MapEntry) => unknown,
): Record<string, unknown> {
  return Object.fromEntries([...node.entries].map(([key, entry]) => [key, map(key, entry)]));
}
