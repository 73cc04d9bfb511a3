/**
 * Names of processes, devices and commands come from others: they must neither break lines, nor drive a terminal, nor
 * change the order in which text is shown (Bidi_Control, UAX #9).
 */
const controls = /[\u0000-\u001f\u007f-\u009f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]/gu; // oxlint-disable-line no-control-regex -- it is what is looked for

/** A text on one line, with such characters as `\n`, `\x1b` and `\u202e`. */
export function escapeControls(text: string): string {
  return text.replaceAll(controls, (character) => {
    if (character === '\n') return String.raw`\n`;
    const code = character.charCodeAt(0);
    return code > 0xff ? escapeCode(code) : String.raw`\x` + code.toString(16).padStart(2, '0');
  });
}

/** A value as indented JSON that ends its line. Such characters are escaped as JSON has it, so its meaning is the same. */
export function formatJson(value: unknown): string {
  return `${escapeInQuotes(JSON.stringify(value, undefined, 2))}\n`;
}

/** A text in which such characters stand in double quotes only, of JSON or YAML, with those but line ends escaped. */
export function escapeInQuotes(text: string): string {
  return text.replaceAll(controls, (character) =>
    character === '\n' ? character : escapeCode(character.charCodeAt(0)),
  );
}

/** Whether a text contains such characters. */
export function hasControls(text: string): boolean {
  return text.search(controls) >= 0;
}

function escapeCode(code: number): string {
  return String.raw`\u` + code.toString(16).padStart(4, '0');
}
