const nsPerSecond = 1_000_000_000n;

/** The instant in RFC 3339 with nine digits and Z, as in `2026-01-02T03:04:05.678901234Z`. */
export function timeText(unixNs: bigint): string {
  const fraction = BigInt.asUintN(64, ((unixNs % nsPerSecond) + nsPerSecond) % nsPerSecond);
  const seconds = (unixNs - fraction) / nsPerSecond;
  return `${secondsText(Number(seconds))}.${fraction.toString().padStart(9, '0')}Z`;
}

let lastSeconds = NaN;
let lastText = '';

/** Most instants in a file are of the same second as the one before. */
function secondsText(seconds: number): string {
  if (seconds !== lastSeconds) {
    lastText = new Date(seconds * 1000).toISOString().slice(0, -5);
    lastSeconds = seconds;
  }
  return lastText;
}

const pattern = /^(\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d:\d\d)(?:\.(\d{1,9}))?(Z|z|[+-]\d\d:\d\d)$/u;

/** Unix time in nanoseconds of an instant in RFC 3339; undefined when it is none, or 64 bits are too few for it. */
export function parseTime(text: string): bigint | undefined {
  const [, date, fraction = '', zone] = pattern.exec(text) ?? [];
  if (date === undefined) return undefined;
  const ms = Date.parse(`${date.replace(' ', 'T')}${zone}`.toUpperCase());
  if (Number.isNaN(ms)) return undefined;
  const ns = BigInt(ms) * 1_000_000n + BigInt(fraction.padEnd(9, '0'));
  return ns === BigInt.asIntN(64, ns) ? ns : undefined;
}
