/** The word that a user most likely meant, if one is near enough to be worth naming. */
export function findNearest(word: string, known: Iterable<string>): string | undefined {
  let nearest: string | undefined;
  // Short words are near to everything: a third of the letters may differ, none of one or two.
  let least = Math.floor(word.length / 3) + 1;
  for (const candidate of known) {
    if (Math.abs(candidate.length - word.length) >= least) continue;
    const distance = editDistance(word.toLowerCase(), candidate.toLowerCase());
    if (distance < least) {
      nearest = candidate;
      least = distance;
    }
  }
  return nearest;
}

/** `, did you mean "zones"?`, or the known words where they are few, or nothing. */
export function suggest(word: string, known: Iterable<string>): string {
  const words = [...known];
  const nearest = findNearest(word, words);
  if (nearest !== undefined) return `, did you mean "${nearest}"?`;
  return words.length > 0 && words.length <= 12 ? `, known: ${words.join(', ')}` : '';
}

/** Insertions, deletions, substitutions and swaps of neighbours that turn one word into the other. */
function editDistance(a: string, b: string): number {
  // Beyond the first row and column there is no way.
  const rows = [Array.from({ length: b.length + 1 }, (_, column) => column)];
  const distance = (i: number, j: number) => rows[i]?.[j] ?? Infinity;
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    rows.push(row);
    for (let j = 1; j <= b.length; j++) {
      const same = a[i - 1] === b[j - 1] ? 0 : 1;
      const isSwapped = i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1];
      row[j] = Math.min(
        distance(i - 1, j) + 1,
        distance(i, j - 1) + 1,
        distance(i - 1, j - 1) + same,
        isSwapped ? distance(i - 2, j - 2) + 1 : Infinity,
      );
    }
  }
  return distance(a.length, b.length);
}
