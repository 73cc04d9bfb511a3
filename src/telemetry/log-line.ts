import { describeError } from '../errors.js';
import { escapeControls } from '../component/escape-controls.js';
import type { LogFields } from '../component/log.js';

const secretNames = /password|passwd|secret|token|authorization|cookie|api[-_]?key/iu;

/** Fields as they may be written: errors in one line, big integers as text, what sounds like a secret left out. */
export function plainFields(fields: LogFields): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(fields).map(([name, value]) => [
      name,
      secretNames.test(name) ? '[redacted]' : plainValue(value),
    ]),
  );
}

function plainValue(value: unknown): unknown {
  if (value instanceof Error) return describeError(value);
  return typeof value === 'bigint' ? String(value) : value;
}

/** A message and its fields in one line for people: `rapl: message key=value`. */
export function formatMessage(component: string | undefined, message: string, fields: LogFields): string {
  const pairs = Object.entries(fields)
    .filter(([, value]) => value !== undefined)
    .map(([name, value]) => ` ${name}=${formatValue(value)}`);
  const text = `${component === undefined ? '' : `${component}: `}${message}${pairs.join('')}`;
  return escapeControls(text);
}

function formatValue(value: unknown): string {
  if (typeof value === 'string' && /^[^\s"=]+$/u.test(value)) return value;
  return JSON.stringify(value) ?? String(value);
}
