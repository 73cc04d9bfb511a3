const [lineFeed, comma, open, close] = [10, 44, 91, 93];

/** Joins JSON texts, one per line, to one JSON array. */
export function frameLines(lines: Uint8Array): Uint8Array {
  const array = Buffer.allocUnsafe(lines.length + 1);
  array[0] = open;
  array.set(lines, 1);
  for (let at = array.indexOf(lineFeed); at >= 0; at = array.indexOf(lineFeed, at + 1)) array[at] = comma;
  array[lines.length] = close;
  return array;
}
