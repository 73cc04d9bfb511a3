import type { ConsumingComponent } from '../../src/component/component.js';
import type { Output } from '../../src/component/output.js';
import type { Table } from '../../src/model/table.js';

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
