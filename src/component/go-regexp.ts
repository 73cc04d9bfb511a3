import { describeError } from '../errors.js';

/**
 * Whether texts of a configuration are compared literally or are regular expressions; null: unset, which means
 * strict.
 */
export type MatchType = 'strict' | 'regexp' | null;

/** Covers all escapes, groups and classes whose meaning differs between Go and JavaScript. */
const tokenPattern = /\\x\{|\\[\s\S]|\(\?P<|\[\^?\]?(?:\[:\^?\w+:\]|\\[\s\S]|[^\]])*\]/gu;

const unsupported: ReadonlySet<string> = new Set(['\\p', '\\P', '\\Q', '\\C', '\\x{']);

/** Escapes of Go that JavaScript would read as letters. */
const escapes: Readonly<Record<string, string>> = { '\\A': '(?<![^])', '\\z': '(?![^])' };

/** Named classes in brackets, ASCII only (github.com/google/re2/wiki/Syntax). */
const classes: Readonly<Record<string, string>> = {
  alnum: 'A-Za-z0-9',
  alpha: 'A-Za-z',
  blank: '\\t ',
  cntrl: '\\x00-\\x1f\\x7f',
  digit: '0-9',
  graph: '!-~',
  lower: 'a-z',
  print: ' -~',
  punct: '!-\\/:-@\\[-`{-~',
  space: '\\t\\n\\v\\f\\r ',
  upper: 'A-Z',
  word: '\\w',
  xdigit: '0-9A-Fa-f',
};

/**
 * Compiles a regular expression in Go's syntax, as in configurations of the Collector: with `(?P<name>...)`,
 * leading flags (`(?i)`), `\A`, `\z` and `[[:alpha:]]`.
 * @throws SyntaxError when it is invalid, or needs a feature that JavaScript does not have
 */
export function compileGoRegexp(source: string): RegExp {
  const [, flags = '', rest = source] = /^\(\?([ims]+)\)(.*)$/su.exec(source) ?? [];
  // Without the flag "u", since Go allows any punctuation character to be escaped.
  return new RegExp(rest.replaceAll(tokenPattern, translate), flags);
}

function translate(token: string): string {
  if (token === '(?P<') return '(?<';
  const found = token.match(/\\x\{|\\[\s\S]/gu)?.find((escape) => unsupported.has(escape));
  if (found !== undefined) throw new SyntaxError(`expected an escape that JavaScript has, found ${found}`);
  return token.startsWith('[') ? translateClass(token) : (escapes[token] ?? token);
}

/** A leading bracket is one of the characters. */
function translateClass(token: string): string {
  const [, open = '[', first = '', rest = ''] = /^(\[\^?)(\]?)(.*)$/su.exec(token) ?? [];
  const named = rest.replaceAll(/\[:(\^?\w+):\]/gu, (_, name: string) => {
    const range = classes[name];
    if (range === undefined) throw new SyntaxError(`expected a class of ASCII characters, found [:${name}:]`);
    return range;
  });
  return `${open}${first && '\\]'}${named}`;
}

/**
 * Describes what is wrong with a pattern, if anything.
 * @param path of the setting
 */
export function checkGoRegexp(source: string, path: string): readonly string[] {
  try {
    compileGoRegexp(source);
    return [];
  } catch (error) {
    return [`${path}: expected a regular expression, found "${source}": ${describeError(error)}`];
  }
}

/**
 * Creates a test whether a text equals one in the configuration or, as in the Collector, contains a match of
 * its regular expression.
 */
export function createTextTest(text: string, type: MatchType): (found: string) => boolean {
  if (type !== 'regexp') return (found) => found === text;
  const regexp = compileGoRegexp(text);
  return (found) => regexp.test(found);
}
