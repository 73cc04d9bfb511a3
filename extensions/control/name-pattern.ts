import type { ComponentStatus } from '../../src/component/agent-control.js';

/** The name of a component: `receiver:rapl/second`. */
export function nameOf({ kind, id }: Pick<ComponentStatus, 'kind' | 'id'>): string {
  return `${kind}:${id}`;
}

/**
 * The names of the components that a pattern selects: `receiver:rapl`, `receiver:*`, `exporter:otlp*`, `*`. A
 * pattern without a kind selects receivers first, since they are controlled most often: `rapl` is a receiver
 * where one has this name.
 * @returns each name once, in the order of the components
 */
export function findNames(pattern: string, components: readonly ComponentStatus[]): readonly string[] {
  const names = [...new Set(components.map(nameOf))];
  if (pattern.includes(':') || pattern === '*') return names.filter((name) => matches(name, pattern));
  const receivers = names.filter((name) => matches(name, `receiver:${pattern}`));
  return receivers.length > 0 ? receivers : names.filter((name) => matches(name, `*:${pattern}`));
}

/** An asterisk matches any characters. */
function matches(name: string, pattern: string): boolean {
  const parts = pattern.split('*').map((part) => part.replaceAll(/[\\^$.*+?()[\]{}|]/gu, String.raw`\$&`));
  return new RegExp(`^${parts.join('.*')}$`, 'u').test(name);
}
