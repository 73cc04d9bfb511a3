import { readFileSync } from 'node:fs';
import { describeError } from '../component/errors.js';
import { shorten } from './node.js';

/** A reference whose value could not be had. */
export class SubstitutionError extends Error {
  override readonly name = 'SubstitutionError';
}

/** Where `${env:...}` and `${file:...}` look. */
export interface Surroundings {
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Called for `${env:NAME}` without a default when NAME is not set. The value is then empty. */
  onUnset(name: string): void;
}

/** What a text became. */
export interface Substituted {
  readonly text: string;
  /** The whole text was one reference: what it gave is to be read as YAML, as the Collector does. */
  readonly isWhole: boolean;
}

const environmentName = /^[a-zA-Z_][a-zA-Z0-9_]*$/u;
const deepestNesting = 100;

/**
 * Replaces `${env:NAME}`, `${env:NAME:-default}`, `${NAME}` and `${file:PATH}`, also nested, and `$$` by `$`.
 * A bare `$NAME` stays as it is, and so does a dollar sign inside a value: passwords have them.
 * @throws SubstitutionError when a name is wrong, a file cannot be read or a brace is missing
 */
export function substitute(text: string, surroundings: Surroundings, depth = 0): Substituted {
  if (!text.includes('$')) return { text, isWhole: false };
  if (depth > deepestNesting)
    throw new SubstitutionError(`Cannot substitute "${shorten(text)}": references nest too deep`);
  let result = '';
  let isWhole = false;
  let at = 0;
  while (at < text.length) {
    const dollar = text.indexOf('$', at);
    if (dollar < 0) return { text: result + text.slice(at), isWhole: false };
    result += text.slice(at, dollar);
    const next = text[dollar + 1];
    if (next === '{') {
      const end = findClosingBrace(text, dollar + 2);
      result += resolve(substitute(text.slice(dollar + 2, end), surroundings, depth + 1).text, surroundings);
      isWhole = dollar === 0 && end === text.length - 1;
      at = end + 1;
    } else {
      result += '$';
      at = dollar + (next === '$' ? 2 : 1);
    }
  }
  return { text: result, isWhole };
}

function findClosingBrace(text: string, from: number): number {
  let open = 1;
  for (let at = from; at < text.length; at++) {
    if (text[at] === '{') open++;
    if (text[at] === '}' && --open === 0) return at;
  }
  throw new SubstitutionError(
    `Cannot substitute "${shorten(text)}": "\${" without "}", write "$$" for a dollar sign`,
  );
}

function resolve(reference: string, surroundings: Surroundings): string {
  const colon = reference.indexOf(':');
  const isDefaulted = colon >= 0 && reference.startsWith(':-', colon);
  const scheme = colon < 0 || isDefaulted ? 'env' : reference.slice(0, colon);
  const rest = colon < 0 || isDefaulted ? reference : reference.slice(colon + 1);
  if (scheme === 'env') return resolveEnvironment(rest, surroundings);
  if (scheme === 'file') return readValue(rest);
  throw new SubstitutionError(
    `Cannot substitute "\${${reference}}": unknown scheme "${scheme}", known: env, file`,
  );
}

function resolveEnvironment(reference: string, { env, onUnset }: Surroundings): string {
  const [name = '', ...rest] = reference.split(':-');
  if (!environmentName.test(name)) {
    const wanted = 'letters, digits and underscores, not beginning with a digit';
    throw new SubstitutionError(
      `Cannot substitute "\${env:${reference}}": "${name}" is no variable name, wanted ${wanted}`,
    );
  }
  const value = env[name];
  if (value !== undefined && value !== '') return value;
  if (rest.length > 0) return rest.join(':-');
  if (value === undefined) onUnset(name);
  return '';
}

/** The content of a file without its last line break: secrets are often written with one. */
function readValue(path: string): string {
  try {
    return readFileSync(path, 'utf8').replace(/\r?\n$/u, '');
  } catch (error) {
    throw new SubstitutionError(`Cannot read "${path}" for "\${file:${path}}": ${describeError(error)}`, {
      cause: error,
    });
  }
}
