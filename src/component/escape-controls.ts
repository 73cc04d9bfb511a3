// Names of processes, devices and commands come from others: they must neither break lines nor drive a terminal, nor
// turn around what follows them (the marks and overrides of bidirectional text).
const controls = /[\u0000-\u001f\u007f-\u009f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]/gu; // oxlint-disable-line no-control-regex -- it is what is looked for

/** A text on one line, with control characters as `\n`, `\x1b` and `\u202e`. */
export function escapeControls(text: string): string {
  return text.replaceAll(controls, escapeControl);
}

/** A text of several lines, with the other control characters as `\x1b`. */
export function escapeLines(text: string): string {
  return text.replaceAll(controls, (character) =>
    character === '\n' ? character : escapeControl(character),
  );
}

function escapeControl(character: string): string {
  if (character === '\n') return String.raw`\n`;
  const code = character.charCodeAt(0);
  const hex = code.toString(16);
  return code < 0x100 ? String.raw`\x` + hex.padStart(2, '0') : String.raw`\u` + hex.padStart(4, '0');
}
