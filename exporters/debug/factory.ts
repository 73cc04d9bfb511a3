import type { ConsumingComponent, ExporterFactory } from '../../src/component/component.js';
import { createOutput, type Output } from '../../src/component/output.js';
import type { Table } from '../../src/model/table.js';
import { schema, type Config } from './config.js';
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

/** Writes what comes. What the reader is too slow for is left out and counted. */
export function createDebug(render: (table: Table) => string, output: Output): ConsumingComponent {
  let leftOut = 0;
  return {
    start() {},
    consume(table) {
      const note =
        leftOut === 0 ? '' : `${leftOut} tables left out: they came faster than they could be written\n`;
      leftOut = output.write(note + render(table)) ? 0 : leftOut + 1;
      return true;
    },
    shutdown() {},
  };
}
