import { parseEndpoint } from '../../src/config/endpoint.js';
import { describeError } from '../../src/errors.js';
import type { MeterReading } from '../../src/scraping/meter-reading.js';
import type { RemoteMeter } from '../../src/scraping/meter-receiver.js';
import type { Endpoint } from './config.js';
import { ModuleConnection } from './module-connection.js';

const scales: Readonly<Record<string, number>> = { u: 1e-6, m: 1e-3, '': 1, k: 1e3 };

/** The two measured quantities of a rail. */
const quantities = [
  { command: 'Measure:Voltage', unit: 'V' },
  { command: 'Measure:Current', unit: 'A' },
] as const;

/** A number and its unit, alone or after a name. */
const patterns = {
  V: /^(?:[^=]*=)?\s*(-?\d+(?:\.\d+)?)\s*([umk]?)V$/iu,
  A: /^(?:[^=]*=)?\s*(-?\d+(?:\.\d+)?)\s*([umk]?)A$/iu,
} as const;

/** A measured rail; NaN: it could not be measured. */
interface Rail {
  readonly name: string;
  readonly volts: number;
  readonly amperes: number;
}

/** A Quarch power module: reads the rails one after another, and adds them up. */
export function openModule({ endpoint, rails }: Endpoint): RemoteMeter {
  const address = parseEndpoint(endpoint);
  const connection = new ModuleConnection(address);
  return {
    name: endpoint,
    async ask(signal) {
      const found: Rail[] = [];
      const errors: Error[] = [];
      for (const name of rails) {
        try {
          found.push(await readRail(connection, name, signal));
        } catch (error) {
          if (!(error instanceof RailError)) throw error;
          errors.push(error);
          found.push({ name, volts: NaN, amperes: NaN });
        }
      }
      const [first] = errors;
      if (first !== undefined && errors.length === rails.length) throw first;
      return { readings: describeRails(address.host, found), problems: errors.map(describeError) };
    },
    close: () => connection.close(),
  };
}

/** The response for one rail is not a measurement; other rails may still be measured. */
class RailError extends Error {
  override readonly name = 'RailError';
}

async function readRail(connection: ModuleConnection, name: string, signal: AbortSignal): Promise<Rail> {
  const values: number[] = [];
  for (const { command, unit } of quantities) {
    const answer = await connection.ask(`${command} ${name}?`, signal);
    values.push(parseMeasurement(answer, unit, name));
  }
  const [volts = NaN, amperes = NaN] = values;
  return { name, volts, amperes };
}

/**
 * The number of a response in volts or amperes.
 * @throws RailError if it has no number with that unit, as for a rail that the module does not have
 */
export function parseMeasurement(answer: string, unit: 'V' | 'A', rail: string): number {
  const [, digits, prefix = ''] = patterns[unit].exec(answer) ?? [];
  if (digits !== undefined) return Number(digits) * (scales[prefix.toLowerCase()] ?? NaN);
  throw new RailError(
    `expected ${unit === 'V' ? 'volts' : 'amperes'} of rail "${rail}", found ${describeAnswer(answer)}`,
  );
}

function describeAnswer(answer: string): string {
  return JSON.stringify(answer.slice(0, 80));
}

/** All rails, and their sum while each is known. */
function describeRails(host: string, rails: readonly Rail[]): readonly MeterReading[] {
  const parts = rails.map(({ name, volts, amperes }) => ({
    id: `${host}/${name}`,
    type: 'power_rail',
    name,
    parent: host,
    volts,
    amperes,
    watts: volts * amperes,
  }));
  const watts = parts.reduce((sum, part) => sum + part.watts, 0);
  return [{ id: host, type: 'module', watts }, ...parts];
}

/** Validates a configured module. */
export function checkModule({ endpoint, rails }: Endpoint): readonly string[] {
  try {
    parseEndpoint(endpoint);
  } catch (error) {
    return [describeError(error)];
  }
  return rails.length > 0 ? [] : ['rails: expected at least one, found none'];
}
