/** A rejected wording. */
interface Wording {
  readonly pattern: RegExp;
  /** Suggested replacement. */
  readonly instead: string;
}

const wordings: readonly Wording[] = [
  { pattern: /\banew\b/iu, instead: 'again, reset, restart' },
  { pattern: /(?<!@param )\beras?\b/iu, instead: 'reset, restart' },
  { pattern: /\btells\b(?!(?: \w+){0,4} apart\b)/iu, instead: 'reports' },
  { pattern: /\b(?:is|are|was|were|be|been) told (?:of|that|when)\b/iu, instead: 'is notified of' },
  {
    pattern: /\b(?:is|are|was|were|been) told\b(?! apart)/iu,
    instead: 'is notified, is logged, is configured',
  },
  { pattern: /\bsays? so\b/iu, instead: 'reports it, logs a warning' },
  { pattern: /\bhand(?:s|ed|ing)? (?:it |them )?on\b/iu, instead: 'pass on, forward, export' },
  {
    pattern: /\b(?:whoever|somebody|anybody|everybody)\b/iu,
    instead: 'the caller, another receiver, every user',
  },
  // In code, this is the name of a user account.
  { pattern: /(?<!(?:user|as) )\bnobody\b/iu, instead: 'no process, no user' },
  { pattern: /\bnow and then\b/iu, instead: 'periodically' },
  { pattern: /\bso many\b/iu, instead: 'a number, this many' },
  { pattern: /\bfor ever\b/iu, instead: 'permanently' },
  { pattern: /\bstands? (?:twice|beside|below|above)\b/iu, instead: 'is duplicated, is next to' },
  { pattern: /\bthe most that\b/iu, instead: 'maximum' },
  { pattern: /\bat the (?:most|least)\b/iu, instead: 'at most, at least' },
  { pattern: /\bsurroundings\b/iu, instead: 'options, context' },
  { pattern: /\bjudg(?:e|es|ed|ing)\b/iu, instead: 'validate, compare' },
  { pattern: /\bgo(?:es|ing)? on without\b/iu, instead: 'continue without' },
  { pattern: /\bservers? of (?:its|the) tests\b/iu, instead: 'test server' },
  { pattern: /\bnothing but readable\b/iu, instead: 'read access to' },
  { pattern: /\bset off against\b/iu, instead: 'offset against' },
  { pattern: /\bin the midst of\b/iu, instead: 'in the middle of' },
  { pattern: /\b(?:whereupon|thereupon|therein|henceforth)\b/iu, instead: 'then, in it, from then on' },
  // Messages: `Cannot <verb> <what>: expected <...>, found <...>`.
  {
    pattern: /(?:[,:][\s'"`]+|['"`])wanted (?=\S)|\S wanted(?=['"`])/u,
    instead: '"expected <...>, found <...>"',
  },
  {
    pattern: /\bTakes tables again\b|\bNot needed: |\bEnding after\b/u,
    instead: 'Recovered, Disabled, Shutting down',
  },
  // Conflict markers: the compiler does not see them in a comment.
  { pattern: /(?:<{7}|>{7}) \S+/u, instead: 'one side of the conflict' },
];

/** A rejected wording and its place. */
export interface Finding {
  readonly line: number;
  readonly found: string;
  readonly instead: string;
}

const commentOrString =
  /\/\*[\s\S]*?\*\/|\/\/[^\n]*|'(?:\\.|[^'\\\n])*'|"(?:\\.|[^"\\\n])*"|`(?:\\.|[^`\\])*`/gu;
const markdownCode = /^(?:```|````).*?^(?:```|````)$|`[^`\n]*`/gmsu;

/**
 * Finds rejected wordings in text for readers: the comments and strings of TypeScript and JavaScript, and the
 * prose of Markdown.
 */
export function findWordings(path: string, text: string): readonly Finding[] {
  const prose = /\.m?[jt]s$/u.test(path) ? keepOnly(text, commentOrString) : blank(text, markdownCode);
  // Comments continue on the next line after an asterisk.
  const flat = prose.replaceAll(/\n( *\* )?/gu, (end) => ' '.repeat(end.length));
  return wordings.flatMap(({ pattern, instead }) => {
    const spaced = new RegExp(pattern.source.replaceAll(' ', ' +'), `${pattern.flags}g`);
    return [...flat.matchAll(spaced)].map(({ 0: found, index }) => ({
      line: text.slice(0, index).split('\n').length,
      found: found.replaceAll(/ +/gu, ' '),
      instead,
    }));
  });
}

/** Replaces all matches with blanks, so that offsets stay the same. */
function blank(text: string, pattern: RegExp): string {
  return text.replaceAll(pattern, (match) => match.replaceAll(/[^\n]/gu, ' '));
}

/** Replaces everything except matches with blanks, so that offsets stay the same. */
function keepOnly(text: string, pattern: RegExp): string {
  let kept = '';
  for (const { 0: match, index } of text.matchAll(pattern)) {
    kept += blank(text.slice(kept.length, index), /[^\n]+/gu) + match;
  }
  return kept;
}
