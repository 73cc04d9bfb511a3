import { describeError } from '../errors.js';

/**
 * A regular expression as configurations of the Collector have it, in Go: with `(?P<name>...)` and flags in front, `(?i)`.
 * @throws SyntaxError when it is none
 */
export function compileGoRegexp(source: string): RegExp {
  const [, flags = '', rest = source] = /^\(\?([ims]+)\)(.*)$/su.exec(source) ?? [];
  // Without the flag "u": Go lets every character be escaped.
  return new RegExp(rest.replaceAll('(?P<', '(?<'), flags);
}

/**
 * What is wrong with one, if anything.
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
