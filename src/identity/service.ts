import { readPath } from '../linux/procfs.js';
import {
  ATTR_SERVICE_INSTANCE_ID,
  ATTR_SERVICE_NAME,
  ATTR_SERVICE_NAMESPACE,
} from '../model/semantic-conventions.js';
import type { Attributes } from '../model/series.js';
import { InvalidContextError, readProcessContext } from './process-context.js';
import { parseResourceAttributes } from './resource-attributes.js';

const names = [ATTR_SERVICE_NAME, ATTR_SERVICE_NAMESPACE, ATTR_SERVICE_INSTANCE_ID] as const;
/** A longer value is not a name but a mistake, or an attack on series storage. */
const maxLength = 255;

const nameVariable = Buffer.from('OTEL_SERVICE_NAME=');
const attributesVariable = Buffer.from('OTEL_RESOURCE_ATTRIBUTES=');
/** Anything beyond this is ignored. */
const environment = Buffer.allocUnsafeSlow(256 * 1024);

/**
 * Reads which service a process is part of: `service.name`, `service.namespace` and `service.instance.id`.
 * Unreadable and malformed parts are left out.
 */
export class ServiceReader {
  readonly #onMalformed: () => void;

  /** @param onMalformed called whenever malformed data is found */
  constructor(onMalformed: () => void = () => {}) {
    this.#onMalformed = onMalformed;
  }

  /**
   * The resource that the process itself publishes as OpenTelemetry process context.
   * @param folder of the process in procfs
   * @returns undefined if it names no service, or not yet
   */
  readContext(folder: string): Attributes | undefined {
    const context = this.#try(() => readProcessContext(folder));
    const service = selectService((name) => context?.get(name));
    return ATTR_SERVICE_NAME in service ? service : undefined;
  }

  /**
   * The service in the environment of a process: OTEL_SERVICE_NAME has precedence.
   * @returns undefined while it has no environment, as in the middle of execve(2)
   */
  readEnvironment(folder: string): Attributes | undefined {
    const bytes = this.#try(() => environment.subarray(0, readPath(`${folder}/environ`, environment)));
    if (bytes === undefined) return {};
    if (bytes.length === 0) return undefined;
    const serviceName = findVariable(bytes, nameVariable)?.trim() ?? '';
    const texts = this.#try(() => parseResourceAttributes(findVariable(bytes, attributesVariable) ?? ''));
    return selectService((name) =>
      name === ATTR_SERVICE_NAME && serviceName !== '' ? serviceName : texts?.[name],
    );
  }

  #try<Value>(read: () => Value): Value | undefined {
    try {
      return read();
    } catch (error) {
      if (error instanceof InvalidContextError || error instanceof RangeError) this.#onMalformed();
      return undefined;
    }
  }
}

/** The first variable with this name counts, as in getenv(3). */
function findVariable(bytes: Buffer, variable: Buffer): string | undefined {
  for (let at = bytes.indexOf(variable); at >= 0; at = bytes.indexOf(variable, at + 1)) {
    if (at > 0 && bytes[at - 1] !== 0) continue;
    const from = at + variable.length;
    const end = bytes.indexOf(0, from);
    return bytes.toString('utf8', from, end < 0 ? bytes.length : end);
  }
  return undefined;
}

function selectService(find: (name: string) => string | undefined): Attributes {
  const found = names
    .map((name) => [name, find(name)?.trim() ?? ''] as const)
    .filter(([, text]) => text !== '' && text.length <= maxLength);
  return found.length === 0 ? noService : Object.fromEntries(found);
}

/** One object for all processes without a service: it has 56 bytes. */
const noService: Attributes = {};
