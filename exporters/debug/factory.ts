import type { ConsumingComponent, ExporterFactory } from '../../src/component/component.js';
import { createOutput, type Output } from '../../src/component/output.js';
import type { HistogramTable } from '../../src/model/histogram-table.js';
import type { Table } from '../../src/model/table.js';
import { schema, type Config } from './config.js';
import {
  renderBasic,
  renderBasicHistograms,
  renderDetailed,
  renderHistograms,
  renderNormal,
} from './render.js';

interface Renderers {
  numbers(table: Table): string;
  histograms(table: HistogramTable): string;
}

const renderers: Readonly<Record<Config['verbosity'], Renderers>> = {
  basic: { numbers: renderBasic, histograms: renderBasicHistograms },
  normal: { numbers: renderNormal, histograms: renderHistograms },
  detailed: { numbers: renderDetailed, histograms: renderHistograms },
};

export const factory: ExporterFactory<typeof schema> = {
  schema,
  create: ({ verbosity }) => createDebug(renderers[verbosity], createOutput(process.stderr)),
};

/** Writes every table. What the reader of stdout is too slow for is left out and counted. */
export function createDebug({ numbers, histograms }: Renderers, output: Output): ConsumingComponent {
  let leftOut = 0;
  const write = (text: string): boolean => {
    const note =
      leftOut === 0 ? '' : `${leftOut} tables left out: they came faster than they could be written\n`;
    leftOut = output.write(note + text) ? 0 : leftOut + 1;
    return true;
  };
  return {
    start() {},
    consume: (table) => write(numbers(table)),
    consumeHistograms: (table) => write(histograms(table)),
    shutdown() {},
  };
}
