import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Component, ReceiverContext } from '../../src/component/component.js';
import type { Consumer } from '../../src/component/consumer.js';
import { createFakeContext, createLogCollector, createTableCollector } from '../../src/component/fakes.js';
import { parseSettings } from '../../src/config/settings.js';
import { readValue, type Table } from '../../src/model/table.js';
import { createFolder } from '../../src/testing/temporary-folder.fixture.js';
import { schema } from './config.js';
import { factory } from './factory.js';

/** A file in a folder that goes with its test. */
export function writeFile(name: string, content: string | Uint8Array): string {
  const path = join(createFolder(), name);
  writeFileSync(path, content);
  return path;
}

interface Options {
  readonly next?: Consumer;
  readonly context?: Partial<ReceiverContext>;
}

/** Replays to the end. */
export async function replay(settings: object, { next, context }: Options = {}) {
  const log = createLogCollector();
  const collector = createTableCollector();
  let receiver: Component | undefined;
  const problem = await new Promise<string | undefined>((finish) => {
    const lent = createFakeContext({ log, finish, ...context });
    receiver = factory.create(parseSettings(schema, settings), lent, next ?? collector);
    void receiver.start();
  });
  await receiver?.shutdown();
  return { tables: collector.tables, log: log.lines, problem };
}

/** `series@seconds=value` of each cell, and `series@seconds ended`; rows of a table in brackets. */
export function describeTables(tables: readonly Table[]): readonly string[] {
  return tables.map((table) => {
    const { series, epoch, offsets, ended = [] } = table;
    const rows = Array.from(offsets, (offset, row) => {
      const seconds = Number(epoch + BigInt(offset)) / 1e9;
      return series.map((one, i) => `${one.metric.name}@${seconds}=${readValue(table, row, i)}`).join(' ');
    });
    const ends = ended.map((one) => `${one.metric.name}@${Number(epoch) / 1e9} ended`);
    return [...rows, ...ends].join('; ');
  });
}

/** A line with a gauge `x` at a second. */
export function gaugeLine(second: number, value: number): string {
  const dataPoints = [{ timeUnixNano: `${second}000000000`, asDouble: value }];
  const metrics = [{ name: 'x', unit: '1', gauge: { dataPoints } }];
  return `${JSON.stringify({ resourceMetrics: [{ resource: {}, scopeMetrics: [{ scope: {}, metrics }] }] })}\n`;
}

export const threeLines = [1, 2, 3].map((second) => gaugeLine(second, second / 10)).join('');
export const threeTables = ['x@1=0.1', 'x@2=0.2', 'x@3=0.3'];
