const [lineFeed, comma, open, close] = [10, 44, 91, 93];

/** One JSON array of the JSON texts in lines, of which each ends with a line feed and holds no other one. */
export function frameLines(lines: Uint8Array): Uint8Array {
  const array = Buffer.allocUnsafe(lines.length + 1);
  array[0] = open;
  array.set(lines, 1);
  for (let at = array.indexOf(lineFeed); at >= 0; at = array.indexOf(lineFeed, at + 1)) array[at] = comma;
  array[lines.length] = close;
  return array;
}
