const prefixes = [
  { symbol: 'G', factor: 1e9 },
  { symbol: 'M', factor: 1e6 },
  { symbol: 'k', factor: 1e3 },
  { symbol: '', factor: 1 },
  { symbol: 'm', factor: 1e-3 },
  { symbol: 'µ', factor: 1e-6 },
] as const;

/**
 * A quantity for people, with four digits and a prefix that suits it: `1.235 kJ`, `12.30 W`, `120.0 ms`; `-` where
 * there is none. Seconds get no k.
 */
export function formatValue(value: number, unit: string): string {
  if (!Number.isFinite(value)) return '-';
  const size = Math.abs(value);
  if (size < 5e-7) return `0 ${unit}`;
  const usable = unit === 's' ? prefixes.filter(({ factor }) => factor <= 1) : prefixes;
  // A tenth of a thousandth short of a prefix is rounded up to it.
  const { symbol, factor } =
    usable.find((prefix) => size >= prefix.factor * 0.99995) ?? prefixes[prefixes.length - 1];
  return `${formatDigits(value / factor)} ${symbol}${unit}`;
}

/** A ratio for people: `53.4 %`, `187 %`; `-` where there is none. */
export function formatRatio(ratio: number): string {
  if (!Number.isFinite(ratio)) return '-';
  const percent = ratio * 100;
  return `${percent.toFixed(percent < 99.95 ? 1 : 0)} %`;
}

/** Bytes for people, in powers of ten: `13.48 MB`. */
export function formatSize(bytes: number): string {
  return formatValue(bytes, 'B');
}

function formatDigits(value: number): string {
  const size = Math.abs(value);
  if (size >= 999.95) return value.toFixed(0);
  if (size >= 99.995) return value.toFixed(1);
  return value.toFixed(size >= 9.9995 ? 2 : 3);
}
