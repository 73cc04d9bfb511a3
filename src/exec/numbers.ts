/** A whole number in groups of three digits: `1,234,567`. */
export function formatCount(count: number): string {
  return count.toFixed(0).replaceAll(/\B(?=(\d{3})+$)/g, ',');
}

/** Rows as lines: first and last column to the left, what lies between to the right, each as wide as its widest. */
export function formatCells(rows: readonly (readonly string[])[]): readonly string[] {
  const count = Math.max(...rows.map((row) => row.length));
  const widths = Array.from({ length: count }, (_, i) =>
    Math.max(...rows.map((row) => (row[i] ?? '').length)),
  );
  return rows.map((row) => {
    const cells = row.map((cell, i) => {
      if (i === 0) return cell.padEnd(widths[i] ?? 0);
      return i === count - 1 ? cell : cell.padStart(widths[i] ?? 0);
    });
    return `  ${cells.join('   ')}`.trimEnd();
  });
}
