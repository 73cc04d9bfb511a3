import { closeSync, mkdirSync, openSync } from 'node:fs';
import { join } from 'node:path';
import type { ExtensionContext, ExtensionFactory, StorageExtension } from '../../src/component/component.js';
import type { QueueStorage } from '../../src/component/queue-storage.js';
import { describeCode } from '../../src/errors.js';
import { lockFile } from '../../src/linux/file-lock.js';
import { schema, type Config } from './config.js';
import { DiskQueue } from './disk-queue.js';

/** Stores the requests of exporters in files. */
export const factory = {
  schema,
  replacedSettings: {
    compaction: 'nothing: a file is deleted when all its requests are delivered',
    timeout: 'nothing: a folder that another agent uses is refused at once',
    directory_permissions: 'nothing: folders are for the owner only',
    recreate: 'nothing: what is damaged is left out, and the rest is delivered',
  },
  create: (config: Config, context: ExtensionContext): StorageExtension => new FileStorage(config, context),
} as const satisfies ExtensionFactory<typeof schema>;

class FileStorage implements StorageExtension {
  readonly #config: Config;
  readonly #context: ExtensionContext;
  #lock: number | undefined;

  constructor(config: Config, context: ExtensionContext) {
    this.#config = config;
    this.#context = context;
  }

  start(): void {
    const { directory, create_directory: isCreated } = this.#config;
    try {
      if (isCreated) mkdirSync(directory, { recursive: true, mode: 0o700 });
      this.#lock = openSync(join(directory, 'lock'), 'a', 0o600);
    } catch (error) {
      throw new Error(
        `Cannot use the folder ${directory}: expected a writable folder, found ${describeCode(error)}. Create it ` +
          `for the user of this agent, or set extensions.${this.#context.id}.directory`,
        { cause: error },
      );
    }
    if (lockFile(this.#lock)) return;
    this.shutdown();
    throw new Error(
      `Cannot use the folder ${directory}: expected one that no other agent uses, found it in use. Set ` +
        `another extensions.${this.#context.id}.directory`,
    );
  }

  async openQueue(exporterId: string): Promise<QueueStorage> {
    const { directory, fsync, max_age: maxAgeMs } = this.#config;
    const name = encodeURIComponent(exporterId);
    return DiskQueue.open(join(directory, name), this.#context.log, { fsync, maxAgeMs });
  }

  shutdown(): void {
    if (this.#lock !== undefined) closeSync(this.#lock);
    this.#lock = undefined;
  }
}
