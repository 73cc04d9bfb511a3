import type { ExporterFactory } from '../../src/component/component.js';
import { createOutput } from '../../src/component/output.js';
import type { Table } from '../../src/model/table.js';
import { schema, type Config } from './config.js';
import { createDebug } from './debug.js';
import { renderBasic, renderDetailed, renderNormal } from './render.js';

const renderers: Readonly<Record<Config['verbosity'], (table: Table) => string>> = {
  basic: renderBasic,
  normal: renderNormal,
  detailed: renderDetailed,
};

export const factory: ExporterFactory<typeof schema> = {
  schema,
  create: ({ verbosity }) => createDebug(renderers[verbosity], createOutput(process.stderr)),
};
