import {
  findBootRecords,
  readBootId,
  readBootRecord,
  writeBootRecord,
  type BootRecords,
} from '../boot-record.js';
import { KernelTypes, kernelTypesPath, type NamedKind, type TypeFacts } from './kernel-types.js';

const maxRecordBytes = 1 << 16;

type Facts = Record<string, number>;

/** The offset of a field that the kernel does not have. */
const absent = -1;

/**
 * Provides the type information that programs need. Finding it takes 30 ms, so it is cached until the next
 * boot. If `use` asks for facts that are not cached, it is called a second time.
 * @param use must tolerate a failure at any query, and a second call
 * @throws Error if the kernel has no type information, and what `use` throws
 */
export async function withKernelTypes<Result>(
  use: (types: TypeFacts) => Promise<Result>,
  records: BootRecords = findBootRecords('kernel-types'),
  path = kernelTypesPath,
): Promise<Result> {
  const boot = readBootId('/proc');
  const known = boot === undefined ? undefined : findMeterFacts(records, boot);
  if (known !== undefined) {
    try {
      return await use(new RecordedTypes(known));
    } catch {
      // A fact is missing, or the record is damaged; any other error will occur again below.
    }
  }
  const facts: Facts = { ...known };
  const result = await use(recordFacts(await KernelTypes.load(path), facts));
  if (boot !== undefined && records.write !== undefined) {
    writeBootRecord(records.write, boot, JSON.stringify(facts));
  }
  return result;
}

/** Answers queries from a record. */
class RecordedTypes implements TypeFacts {
  readonly #facts: Facts;

  constructor(facts: Facts) {
    this.#facts = facts;
  }

  findOffset(struct: string, path: string): number {
    return this.#find(`${struct}.${path}`);
  }

  findOptionalOffset(struct: string, path: string): number | undefined {
    const offset = this.#find(`${struct}.${path}?`);
    return offset === absent ? undefined : offset;
  }

  findSize(struct: string): number {
    return this.#find(`size ${struct}`);
  }

  findId(name: string, of: NamedKind): number {
    return this.#find(`${of} ${name}`);
  }

  findEnumerator(enumeration: string, name: string): number {
    return this.#find(`${enumeration}:${name}`);
  }

  #find(key: string): number {
    const fact = this.#facts[key];
    if (fact === undefined) throw new Error(`Cannot find ${key}: expected it in the record, found none`);
    return fact;
  }
}

/** Records what is found. Missing facts are searched again each time. */
function recordFacts(types: KernelTypes, facts: Facts): TypeFacts {
  return {
    findOffset: (struct, path) => (facts[`${struct}.${path}`] = types.findOffset(struct, path)),
    findOptionalOffset(struct, path) {
      const offset = types.findOptionalOffset(struct, path);
      facts[`${struct}.${path}?`] = offset ?? absent;
      return offset;
    },
    findSize: (struct) => (facts[`size ${struct}`] = types.findSize(struct)),
    findId: (name, of) => (facts[`${of} ${name}`] = types.findId(name, of)),
    findEnumerator(enumeration, name) {
      const value = types.findEnumerator(enumeration, name);
      if (value !== undefined) facts[`${enumeration}:${name}`] = value;
      return value;
    },
  };
}

function findMeterFacts({ read }: BootRecords, boot: string): Facts | undefined {
  for (const path of read) {
    const facts = parseFacts(readBootRecord(path, boot, maxRecordBytes) ?? '');
    if (facts !== undefined) return facts;
  }
  return undefined;
}

/** A damaged record is ignored. */
function parseFacts(text: string): Facts | undefined {
  try {
    const parsed: unknown = JSON.parse(text);
    if (typeof parsed !== 'object' || parsed === null) return undefined;
    const entries = Object.entries(parsed);
    if (!entries.every(([, value]) => Number.isInteger(value))) return undefined;
    return Object.fromEntries(entries);
  } catch {
    return undefined;
  }
}
