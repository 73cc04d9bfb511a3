import type { ConfigOf, Schema } from '../../src/component/schema.js';
import { checkQueue, queueSettings } from '../../src/export/sending-settings.js';

/** A hundred years: the maximum of `max_age`. */
const longestAgeMs = 100 * 365 * 86_400_000;

export const schema = {
  path: {
    doc: 'Database file; its folder must exist.',
    format: 'path',
    default: null,
  },
  max_age: {
    doc: 'How long points are kept, counted from now; 0: forever.',
    format: 'duration',
    default: '0s',
    max: longestAgeMs,
  },
  synchronous: {
    doc: 'When written data reaches the disk: with `normal`, a power failure may lose the last seconds; `full` waits for the disk at every request. In either case the file stays consistent, and a crash of the agent loses no written data.',
    format: ['normal', 'full'],
    default: 'normal',
  },
  busy_timeout: {
    doc: 'How long a request waits for another program that locks the file, before it is tried again later.',
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
