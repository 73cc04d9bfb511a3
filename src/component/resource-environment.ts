import { ATTR_SERVICE_NAME } from '../model/semantic-conventions.js';

type Environment = Readonly<Record<string, string | undefined>>;
type Texts = Readonly<Record<string, string>>;

/** The name of the service where the user gives none. */
export const defaultServiceName = 'joulemetry';

/**
 * The attributes that the environment sets for this collector, as the specification of OpenTelemetry has it:
 * OTEL_SERVICE_NAME goes before OTEL_RESOURCE_ATTRIBUTES, and without either the service is `joulemetry`.
 * @param warn receives why OTEL_RESOURCE_ATTRIBUTES is ignored: as a whole, when a part of it is wrong
 */
export function readResourceEnvironment(environment: Environment, warn: (message: string) => void): Texts {
  const name = environment['OTEL_SERVICE_NAME'] ?? '';
  return {
    [ATTR_SERVICE_NAME]: defaultServiceName,
    ...parseOrWarn(environment['OTEL_RESOURCE_ATTRIBUTES'] ?? '', warn),
    ...(name !== '' && { [ATTR_SERVICE_NAME]: name }),
  };
}

function parseOrWarn(text: string, warn: (message: string) => void): Texts {
  const parts = text.split(',').filter((part) => part.trim() !== '');
  const pairs = parts.map(parsePair);
  const wrong = pairs.indexOf(undefined);
  if (wrong < 0) return Object.fromEntries(pairs.filter((pair) => pair !== undefined));
  const expected = 'expected key=value pairs between commas, percent-encoded';
  warn(`Cannot use OTEL_RESOURCE_ATTRIBUTES: ${expected}, found something else at pair ${wrong + 1}`);
  return {};
}

/** `key=value`, percent-encoded as in W3C Baggage. @returns undefined for anything else */
function parsePair(pair: string): [string, string] | undefined {
  const [, key = '', value = ''] = /^([^=]*)=(.*)$/s.exec(pair) ?? [];
  if (key.trim() === '') return undefined;
  try {
    return [decodeURIComponent(key.trim()), decodeURIComponent(value.trim())];
  } catch {
    return undefined;
  }
}
