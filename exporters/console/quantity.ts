const prefixes = ['µ', 'm', '', 'k', 'M', 'G'];
const plain = prefixes.indexOf('');

/** A quantity with three digits and the prefix that suits it: `12.3 W`, `1.03 kJ`, `-` for none. */
export function describeQuantity(value: number, unit: string): string {
  if (Number.isNaN(value)) return '-';
  // Rounded first, so that 999.9 becomes 1.00 k and not 1000.
  const rounded = Number(value.toPrecision(3));
  const thousands = rounded === 0 ? 0 : Math.floor(Math.log10(Math.abs(rounded)) / 3 + 1e-12);
  if (thousands < -plain) return `0 ${unit}`;
  const prefix = Math.min(plain + thousands, prefixes.length - 1);
  const scaled = rounded / 1000 ** (prefix - plain);
  const digits = Math.abs(scaled) >= 1000 ? scaled.toFixed(0) : scaled.toPrecision(3);
  return `${rounded === 0 ? '0' : digits} ${prefixes[prefix]}${unit}`;
}

/** A share of 1 as a percentage, `12.3 %`; `-` for none. */
export function describeShare(share: number): string {
  return Number.isFinite(share) ? `${(share * 100).toFixed(1)} %` : '-';
}

/** `12 s`, `3 min 04 s`, `2 h 05 min`. */
export function describeDuration(seconds: number): string {
  const whole = Math.floor(seconds);
  const [hours, minutes] = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60];
  if (hours > 0) return `${hours} h ${pad(minutes)} min`;
  return minutes > 0 ? `${minutes} min ${pad(whole % 60)} s` : `${whole} s`;
}

function pad(number: number): string {
  return String(number).padStart(2, '0');
}
