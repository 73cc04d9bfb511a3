const prefixes = [
  { symbol: 'G', factor: 1e9 },
  { symbol: 'M', factor: 1e6 },
  { symbol: 'k', factor: 1e3 },
  { symbol: '', factor: 1 },
  { symbol: 'm', factor: 1e-3 },
  { symbol: 'u', factor: 1e-6 },
] as const;

/** A value with four digits and a prefix that suits it: `1.235 kJ`, `12.30 W`, `120 ms`. Seconds get no k. */
export function formatValue(value: number, unit: string): string {
  if (!Number.isFinite(value)) return `- ${unit}`;
  const size = Math.abs(value);
  if (size < 5e-7) return `0 ${unit}`;
  const usable = unit === 's' ? prefixes.filter(({ factor }) => factor <= 1) : prefixes;
  const { symbol, factor } = usable.find((prefix) => size >= prefix.factor * 0.9995) ?? {
    symbol: 'u',
    factor: 1e-6,
  };
  return `${formatDigits(value / factor)} ${symbol}${unit}`;
}

/** A whole number in groups of three digits: `1,234,567`. */
export function formatCount(count: number): string {
  return count.toFixed(0).replaceAll(/\B(?=(\d{3})+$)/g, ',');
}

/** `53.4 %`, `187 %`. */
export function formatRatio(ratio: number): string {
  const percent = ratio * 100;
  return `${percent.toFixed(percent < 99.95 ? 1 : 0)} %`;
}

/** `13.5 MB`, in powers of ten. */
export function formatSize(bytes: number): string {
  return bytes >= 1e9 ? `${formatDigits(bytes / 1e9)} GB` : `${(bytes / 1e6).toFixed(1)} MB`;
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

function formatDigits(value: number): string {
  const size = Math.abs(value);
  if (size >= 999.5) return value.toFixed(0);
  if (size >= 99.95) return value.toFixed(1);
  return value.toFixed(size >= 9.995 ? 2 : 3);
}
