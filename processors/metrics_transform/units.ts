/** Units of one kind, each as a multiple of the first. */
type Scale = Readonly<Record<string, number>>;

const prefixes: Scale = { n: 1e-9, u: 1e-6, m: 1e-3, '': 1, k: 1e3, M: 1e6, G: 1e9, T: 1e12 };
const binaryPrefixes: Scale = { Ki: 2 ** 10, Mi: 2 ** 20, Gi: 2 ** 30, Ti: 2 ** 40 };

function withPrefixes(units: Scale, factors: Scale = prefixes): Scale {
  return Object.fromEntries(
    Object.entries(units).flatMap(([unit, size]) =>
      Object.entries(factors).map(([prefix, factor]) => [`${prefix}${unit}`, size * factor]),
    ),
  );
}

/** UCUM, case sensitive (ucum.org/ucum). */
const kinds: readonly Scale[] = [
  withPrefixes({ J: 1, 'W.h': 3600, 'W.s': 1 }),
  withPrefixes({ W: 1 }),
  { ...withPrefixes({ s: 1 }), min: 60, h: 3600, d: 86_400 },
  { ...withPrefixes({ By: 1, bit: 1 / 8 }), ...withPrefixes({ By: 1, bit: 1 / 8 }, binaryPrefixes) },
  withPrefixes({ V: 1 }),
  withPrefixes({ A: 1 }),
  withPrefixes({ Hz: 1 }),
  { ...withPrefixes({ g: 1 }), t: 1e6 },
  withPrefixes({ m: 1 }),
  { '1': 1, '%': 0.01 },
];

/** The factor that converts values from one UCUM unit to another; undefined if they measure different quantities. */
export function findUnitFactor(from: string, to: string): number | undefined {
  if (from === to) return 1;
  const [fromMain = '', fromPer] = splitUnit(from);
  const [toMain = '', toPer] = splitUnit(to);
  if ((fromPer === undefined) !== (toPer === undefined)) return undefined;
  const main = findFactor(fromMain, toMain);
  const per = fromPer === undefined || toPer === undefined ? 1 : findFactor(fromPer, toPer);
  return main === undefined || per === undefined ? undefined : main / per;
}

function splitUnit(unit: string): readonly string[] {
  return unit.split(/\/(.*)/su, 2);
}

function findFactor(from: string, to: string): number | undefined {
  if (from === to) return 1;
  const kind = kinds.find((each) => Object.hasOwn(each, from) && Object.hasOwn(each, to));
  const [one, other] = [kind?.[from], kind?.[to]];
  if (one === undefined || other === undefined) return undefined;
  // Integer factors are exact, regardless of how the prefixes were rounded.
  return one >= other ? roundQuotient(one / other) : 1 / roundQuotient(other / one);
}

function roundQuotient(quotient: number): number {
  const whole = Math.round(quotient);
  return Math.abs(quotient - whole) < 1e-9 * quotient ? whole : quotient;
}
