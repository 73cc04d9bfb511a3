import { describeReadError, readRegularFile } from '../linux/regular-file.js';
import type { Replacement } from './node.js';

/** A reference that could not be replaced. */
export class SubstitutionError extends Error {
  override readonly name = 'SubstitutionError';
}

/** The environment of `${env:...}` and `${file:...}`. */
export interface SubstitutionContext {
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Called for `${env:NAME}` without a default if NAME is not set. The value is then empty. */
  onUnset(name: string): void;
}

/** The result of a substitution. */
export interface Substituted extends Replacement {
  /** The whole text was one reference: if it is not quoted, its value is read as YAML. */
  readonly isWhole: boolean;
}

/** Maximum size of a file for `${file:...}`. */
export const maxReferencedBytes = 1024 * 1024;

const environmentName = /^[a-zA-Z_][a-zA-Z0-9_]*$/u;
const deepestNesting = 100;

/**
 * Replaces `${env:NAME}`, `${env:NAME:-default}`, `${NAME}` and `${file:PATH}`, also nested, and `$$` by `$`. A
 * bare `$NAME` is unchanged, and so is a dollar sign inside a value, as in passwords.
 * @throws SubstitutionError if a name is invalid, a file unreadable or a brace missing; its message shows
 * references as written, but neither their values nor the text around them
 */
export function substitute(text: string, context: SubstitutionContext, depth = 0): Substituted {
  if (!text.includes('$')) return { text, isWhole: false, references: [], empty: [] };
  if (depth > deepestNesting) {
    throw new SubstitutionError(
      `Cannot substitute a reference: expected at most ${deepestNesting} levels, found more`,
    );
  }
  const references: string[] = [];
  const empty: string[] = [];
  let result = '';
  let isWhole = false;
  let at = 0;
  while (at < text.length) {
    const dollar = text.indexOf('$', at);
    if (dollar < 0) return { text: result + text.slice(at), isWhole: false, references, empty };
    result += text.slice(at, dollar);
    const next = text[dollar + 1];
    if (next === '{') {
      const end = findClosingBrace(text, dollar + 2);
      const written = text.slice(dollar + 2, end);
      const shown = describeReference(written);
      const value =
        findWithoutDefault(written, context) ??
        resolve(substitute(written, context, depth + 1).text, shown, context);
      references.push(shown);
      if (value === '' && !written.includes(':-')) empty.push(shown);
      result += value;
      isWhole = dollar === 0 && end === text.length - 1;
      at = end + 1;
    } else {
      result += '$';
      at = dollar + (next === '$' ? 2 : 1);
    }
  }
  return { text: result, isWhole, references, empty };
}

/** The value of a variable that is set: as in a shell, its default is ignored, even if it is invalid. */
function findWithoutDefault(written: string, { env }: SubstitutionContext): string | undefined {
  const [name = '', ...rest] = written.split(':-');
  const variable = name.startsWith('env:') ? name.slice('env:'.length) : name;
  if (rest.length === 0 || !environmentName.test(variable) || env[variable] === '') return undefined;
  return env[variable];
}

/** Neither defaults nor values of other references are shown: they may be secrets. */
function describeReference(written: string): string {
  const [name = ''] = written.startsWith('file:') ? [written] : written.split(':-');
  return name.includes('$') ? '${...}' : `\${${name}}`;
}

function findClosingBrace(text: string, from: number): number {
  let open = 1;
  for (let at = from; at < text.length; at++) {
    if (text[at] === '{') open++;
    if (text[at] === '}' && --open === 0) return at;
  }
  throw new SubstitutionError(
    'Cannot substitute a reference: expected "}" after "${", found none; write "$$" for a dollar sign',
  );
}

function resolve(reference: string, shown: string, context: SubstitutionContext): string {
  const colon = reference.indexOf(':');
  const isDefaulted = colon >= 0 && reference.startsWith(':-', colon);
  const scheme = colon < 0 || isDefaulted ? 'env' : reference.slice(0, colon);
  const rest = colon < 0 || isDefaulted ? reference : reference.slice(colon + 1);
  if (scheme === 'env') return resolveEnvironment(rest, shown, context);
  if (scheme === 'file') return readValue(rest, shown);
  throw new SubstitutionError(`Cannot substitute "${shown}": expected the scheme env or file`);
}

function resolveEnvironment(reference: string, shown: string, { env, onUnset }: SubstitutionContext): string {
  const [name = '', ...rest] = reference.split(':-');
  if (!environmentName.test(name)) {
    const expected = 'a name of letters, digits and underscores that does not begin with a digit';
    throw new SubstitutionError(`Cannot substitute "${shown}": expected ${expected}`);
  }
  const value = env[name];
  if (value !== undefined && value !== '') return value;
  if (rest.length > 0) return rest.join(':-');
  if (value === undefined) onUnset(name);
  return '';
}

/** The content of a file without its last line break, which secrets are often written with. */
function readValue(path: string, shown: string): string {
  try {
    return readRegularFile(path, maxReferencedBytes)
      .toString('utf8')
      .replace(/\r?\n$/u, '');
  } catch (error) {
    throw new SubstitutionError(`Cannot substitute "${shown}": ${describeReadError(error)}`, {
      cause: error,
    });
  }
}
