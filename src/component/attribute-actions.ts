import { createHash } from 'node:crypto';
import type { Attributes, AttributeValue } from '../model/series.js';
import type { ConfigOf, ListSetting } from './schema.js';

/** The settings of one action, as in the Collector's attributes processor. */
const items = {
  action: {
    doc: 'What is done with the attribute. `insert`: it is set if it does not exist; `update`: if it exists; `upsert`: in either case. `delete`: it is removed. `hash`: its value is replaced by its SHA-256.',
    format: ['insert', 'update', 'upsert', 'delete', 'hash'],
    default: 'upsert',
  },
  key: { doc: 'Name of the attribute.', format: 'string', default: '' },
  value: { doc: 'Value to set.', format: 'attribute_value', default: null },
  from_attribute: {
    doc: 'Attribute whose value is set, instead of `value`. If it does not exist, nothing is done.',
    format: 'string',
    default: null,
  },
} as const satisfies ListSetting['items'];

/** A change to an attribute set. */
export type AttributeAction = ConfigOf<typeof items>;

/**
 * The setting that holds the actions.
 * @param doc what the actions apply to
 */
export function createActionsSetting(doc: string) {
  return { doc, format: 'list', items, default: [] } as const satisfies ListSetting;
}

/**
 * Remedies for action settings that only the Collector has, as a factory's `replacedSettings`.
 * @param path of the list in the component's settings
 */
export function replaceActionSettings(path: string): Readonly<Record<string, string>> {
  return {
    [`${path}[].action=convert`]: 'remove the action: attributes keep the type that they come with',
    [`${path}[].action=extract`]: 'set the attribute where it comes from',
    [`${path}[].pattern`]: 'write an action with "key" for each attribute',
    [`${path}[].converted_type`]: 'remove it: attributes keep the type that they come with',
    [`${path}[].default_value`]: 'write a second action, "insert", with "value"',
    [`${path}[].from_context`]: 'use "from_attribute" or "value": requests leave no values of theirs',
  };
}

/**
 * Finds problems that concern an action as a whole.
 * @param path of the list in the component's settings
 */
export function checkActions(actions: readonly AttributeAction[], path: string): readonly string[] {
  return actions.flatMap(({ action, key, value, from_attribute: from }, i) => {
    const at = `${path}[${i}]`;
    const sources = [value, from].filter((source) => source !== null).length;
    if (key === '') return [`${at}.key: not set, expected the name of an attribute`];
    if (action === 'delete' || action === 'hash') {
      return sources === 0 ? [] : [`${at}: "${action}" takes neither "value" nor "from_attribute"`];
    }
    if (sources === 1) return [];
    return [`${at}: ${sources === 0 ? 'found none' : 'found both'}, expected "value" or "from_attribute"`];
  });
}

/**
 * Applies all actions in order.
 * @returns the same object if nothing changes
 */
export function applyActions(attributes: Attributes, actions: readonly AttributeAction[]): Attributes {
  return actions.reduce(applyAction, attributes);
}

function applyAction(attributes: Attributes, { action, key, ...source }: AttributeAction): Attributes {
  const old = findValue(attributes, key);
  const value = source.from_attribute === null ? source.value : findValue(attributes, source.from_attribute);
  switch (action) {
    case 'insert':
      return old === undefined ? withAttribute(attributes, key, value) : attributes;
    case 'update':
      return old === undefined ? attributes : withAttribute(attributes, key, value);
    case 'upsert':
      return withAttribute(attributes, key, value);
    case 'delete':
      return withoutAttribute(attributes, key);
    case 'hash':
      return old === undefined ? attributes : withAttribute(attributes, key, hash(old));
  }
}

/** Ignores inherited properties such as "constructor". */
function findValue(attributes: Attributes, key: string): AttributeValue | undefined {
  return Object.hasOwn(attributes, key) ? attributes[key] : undefined;
}

function withAttribute(
  attributes: Attributes,
  key: string,
  value: AttributeValue | null | undefined,
): Attributes {
  if (value === undefined || value === null || findValue(attributes, key) === value) return attributes;
  return { ...attributes, [key]: value };
}

function withoutAttribute(attributes: Attributes, key: string): Attributes {
  if (!Object.hasOwn(attributes, key)) return attributes;
  return Object.fromEntries(Object.entries(attributes).filter(([name]) => name !== key));
}

function hash(value: AttributeValue): string {
  return createHash('sha256').update(String(value)).digest('hex');
}
