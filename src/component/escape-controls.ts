// Names of processes, devices and commands come from others: they must neither break lines nor drive a terminal.
const controls = /[\u0000-\u001f\u007f-\u009f\u2028\u2029]/gu; // oxlint-disable-line no-control-regex -- it is what is looked for

/** A text on one line, with control characters as `\n` and `\x1b`. */
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
  return String.raw`\x` + character.charCodeAt(0).toString(16).padStart(2, '0');
}
