// The grammar of messages: `Cannot <verb> <what>: expected <...>, found <...>`, or an errno or the text of another
// error in place of what was expected and found.

/** A message in another form. */
export interface Misworded {
  readonly line: number;
  readonly text: string;
  readonly expected: string;
}

interface Message {
  readonly line: number;
  /** Source text, without the code of interpolations. */
  readonly text: string;
  /** Whether it is the first argument of an error or of a log call, so that nothing is added to it. */
  readonly role: 'error' | 'log' | 'part';
}

const interpolation = /\$\{(?:[^`{}]|`[^`]*`|\{[^{}]*\})*\}/u.source;
const interpolations = new RegExp(interpolation, 'gsu');
const template = `\`(?:\\\\.|${interpolation}|[^\`\\\\$]|\\$(?!\\{))*\``;
const text = `${template}|'(?:\\\\.|[^'\\\\\\n])*'`;
const token = new RegExp(`/\\*[\\s\\S]*?\\*/|//[^\\n]*|(?:${text})(?:\\s*\\+\\s*(?:${text}))*`, 'gsu');

/** Errors that compose their message from another text. */
const composed = /\bNvmlError\($/u;

function listMessages(source: string): readonly Message[] {
  return [...source.matchAll(token)]
    .filter(([found]) => !found.startsWith('/'))
    .map(({ 0: found, index }) => {
      const before = source.slice(0, index).trimEnd();
      const isError = /\bnew \w*Error\($/u.test(before) && !composed.test(before);
      return {
        line: before.split('\n').length,
        text: found
          .replaceAll(/['`]\s*\+\s*['`]/gu, '')
          .slice(1, -1)
          .replaceAll(interpolations, '${}'),
        role: isError ? 'error' : /\blog\.(?:warn|error)\($/u.test(before) ? 'log' : 'part',
      };
    });
}

function findFault({ text: message, role }: Message): string | undefined {
  const isCannot = message.startsWith('Cannot ');
  if (role === 'error' && !isCannot && !/^(?:expected\b|\$\{)/u.test(message)) {
    return '"Cannot <verb> <what>: ..." or "expected <...>, found <...>"';
  }
  if (!isCannot && (role !== 'error' || !message.startsWith('expected '))) return undefined;
  // The text quoted before the colon has been found.
  if (/\bexpected\b/u.test(message))
    return /\bfound\b|"\$\{\}.*: expected/su.test(message) ? undefined : '"found <...>"';
  const hasCause =
    /: (?:\$\{|[A-Z]{4,})/u.test(message) || (role === 'part' && /(?:: |\}"?)$/u.test(message));
  return hasCause
    ? undefined
    : 'a colon and the cause: "expected <...>, found <...>", an errno or another error';
}

/** Finds messages in TypeScript that do not follow the grammar: those of errors, and all that begin with "Cannot". */
export function findMisworded(source: string): readonly Misworded[] {
  return listMessages(source).flatMap((message) => {
    const expected = findFault(message);
    return expected === undefined ? [] : [{ line: message.line, text: message.text, expected }];
  });
}
