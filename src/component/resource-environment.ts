import { describeError } from '../errors.js';
import { parseResourceAttributes } from '../identity/resource-attributes.js';
import { ATTR_SERVICE_NAME } from '../model/semantic-conventions.js';

type Environment = Readonly<Record<string, string | undefined>>;
type Texts = Readonly<Record<string, string>>;

/** The service name if the user sets none. */
export const defaultServiceName = 'joulemetry';

/**
 * The attributes that the environment sets for this collector, as OpenTelemetry specifies: OTEL_SERVICE_NAME
 * has precedence over OTEL_RESOURCE_ATTRIBUTES, and without either the service is `joulemetry`.
 * @param warn receives the reason why OTEL_RESOURCE_ATTRIBUTES is ignored; it is ignored as a whole when a part
 * of it is invalid
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
  try {
    return parseResourceAttributes(text);
  } catch (error) {
    warn(`Cannot use OTEL_RESOURCE_ATTRIBUTES: ${describeError(error)}`);
    return {};
  }
}
