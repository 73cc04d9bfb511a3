import type { ExporterFactory } from '../../src/component/component.js';
import { schema } from './config.js';
import { createConsole } from './console.js';

export const factory: ExporterFactory<typeof schema> = {
  schema,
  create: (config, { clock }) => createConsole(config, clock, process.stdout),
};
