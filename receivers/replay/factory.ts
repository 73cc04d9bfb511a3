import type { ReceiverFactory } from '../../src/component/component.js';
import type { Probe } from '../../src/component/probe.js';
import { schema } from './config.js';
import { findFiles } from './find-files.js';
import { Replay } from './replay.js';

export const factory: ReceiverFactory<typeof schema> = {
  schema,
  // What it hands on is what its files hold.
  metrics: [],
  check: ({ files }) =>
    files.length === 0 ? ['files: expected at least one path, found an empty list'] : [],
  probe: ({ files }) => describeFiles(files),
  create: (config, context, next) => new Replay(config, context, next),
};

function describeFiles(files: readonly string[]): Probe {
  const { paths, missing } = findFiles(files);
  const available = paths.length > 0 && missing.length === 0;
  const found = available
    ? `${paths.length} ${paths.length === 1 ? 'file' : 'files'}`
    : `no file for ${missing.join(', ') || '"files", which is empty'}`;
  return { available, found, remedies: [] };
}
