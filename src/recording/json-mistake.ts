const space = /[ \t\n\r]*/y;
const text = /"(?:[ !#-[\]-\uffff]|\\(?:["\\/bfnrt]|u[\da-fA-F]{4}))*"/y;
const scalar = /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?|true|false|null/y;

/** What may follow: within a list or an object, its end only while it is empty. */
type Expected = 'value' | 'value or end' | 'key' | 'key or end' | 'colon' | 'comma or end';

/**
 * Where a text stops being JSON: the index of the first invalid character, or the length of a text that ends
 * too early. The JavaScript engine reports the position of some errors only. Undefined: the text is JSON.
 */
export function findJsonMistake(json: string): number | undefined {
  const open: ('[' | '{')[] = [];
  let expected: Expected = 'value';
  for (let at = matchEnd(space, json, 0) ?? 0; ; at = matchEnd(space, json, at) ?? at) {
    if (open.length === 0 && expected === 'comma or end') return at === json.length ? undefined : at;
    const next = step(json, at, expected, open);
    if (next === undefined) return at;
    [at, expected] = next;
  }
}

/** @returns the end of the next token, and what may follow it; undefined: it is invalid */
function step(
  json: string,
  at: number,
  expected: Expected,
  open: ('[' | '{')[],
): [number, Expected] | undefined {
  const character = json.charAt(at);
  const inside = open.at(-1);
  const isEnd = character === (inside === '[' ? ']' : '}') && inside !== undefined;
  if (isEnd && expected.endsWith('end')) {
    open.pop();
    return [at + 1, 'comma or end'];
  }
  if (expected === 'colon') return character === ':' ? [at + 1, 'value'] : undefined;
  if (expected === 'comma or end') {
    return character === ',' ? [at + 1, inside === '[' ? 'value' : 'key'] : undefined;
  }
  if (expected.startsWith('key')) return after(matchEnd(text, json, at), 'colon');
  if (character !== '[' && character !== '{') {
    return after(matchEnd(text, json, at) ?? matchEnd(scalar, json, at), 'comma or end');
  }
  open.push(character);
  return [at + 1, character === '[' ? 'value or end' : 'key or end'];
}

function after(end: number | undefined, expected: Expected): [number, Expected] | undefined {
  return end === undefined ? undefined : [end, expected];
}

/** The end of a match that starts at this index; undefined: no match. */
function matchEnd(pattern: RegExp, json: string, at: number): number | undefined {
  pattern.lastIndex = at;
  return pattern.test(json) ? pattern.lastIndex : undefined;
}
