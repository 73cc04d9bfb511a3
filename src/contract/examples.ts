import assert from 'node:assert/strict';
import type { ComponentKind } from '../component/component.js';
import { parseComponentId } from '../config/components.js';
import { findEntry, type ConfigNode } from '../config/node.js';
import type { Problem } from '../config/problem.js';
import { parseConfigText } from '../config/read-yaml.js';

/** Settings of a component that its README shows. */
export interface Example {
  /** The key in the configuration, `file/frames`. */
  readonly id: string;
  readonly node: ConfigNode;
  /** Why it cannot be run everywhere, as the README states it: ```yaml needs="a certificate"`. */
  readonly needs: string | undefined;
}

const fence = /^```yaml(?: needs="(?<needs>[^"]+)")?\n(?<text>.*?)^```/gmsu;

/**
 * Every example of a component in its README: what is below its ids in every block of YAML.
 * @param problems receives what is wrong with the YAML
 * @throws AssertionError when there is none
 */
export function findExamples(
  readme: string,
  { kind, type }: { readonly kind: ComponentKind; readonly type: string },
  problems: Problem[],
): readonly Example[] {
  const examples = [...readme.matchAll(fence)].flatMap(({ groups = {} }) => {
    const { needs, text = '' } = groups;
    const root = parseConfigText(text, 'README.md', { env: process.env, onUnset: () => {} }, problems);
    const section = findEntry(root, `${kind}s`)?.node;
    const entries = section?.kind === 'map' ? [...section.entries] : [];
    return entries
      .filter(([id]) => parseComponentId(id).type === type)
      .map(([id, { node }]) => ({ id, node, needs }));
  });
  assert.ok(examples.length > 0, `the README has no example in YAML with ${kind}s: ${type}`);
  return examples;
}
