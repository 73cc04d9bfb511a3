import type { ConfigOf, Schema } from '../../src/component/schema.js';
import { checkQueue, queueSettings } from '../../src/export/sending-settings.js';

/** A hundred years: the maximum of `max_age`. */
const longestAgeMs = 100 * 365 * 86_400_000;

export const schema = {
  path: {
    doc: 'Database file. Its folder must exist.',
    format: 'path',
    reads: 'output',
    default: null,
  },
  max_age: {
    doc: 'Age from which points are deleted. 0: they are kept.',
    format: 'duration',
    default: '0s',
    max: longestAgeMs,
  },
  synchronous: {
    doc: 'When written data reaches the disk. `normal`: a power failure may lose the last seconds. `full`: each request waits for the disk. In either case the file stays consistent, and a crash of the agent loses no written data.',
    format: ['normal', 'full'],
    default: 'normal',
  },
  busy_timeout: {
    doc: 'How long a request waits while another program locks the file. After that, it is retried later.',
    format: 'duration',
    default: '5s',
  },
  ...queueSettings,
  batch: {
    ...queueSettings.batch,
    flush_timeout: { ...queueSettings.batch.flush_timeout, default: '1s' },
  },
} as const satisfies Schema;

export type Config = ConfigOf<typeof schema>;

/** A configuration with a file to write. */
export type FileConfig = Config & { readonly path: string };

/** Validates settings that depend on each other. */
export function checkConfig(config: Config): readonly string[] {
  const problems = config.path === null ? ['path: expected a path, found nothing'] : [];
  return [...problems, ...checkQueue(config)];
}
