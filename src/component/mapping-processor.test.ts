import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setPublisher, type AnySeries, type Series } from '../model/series.js';
import { createRow } from '../model/table.js';
import { createFakeContext, createLogCollector, createTableCollector } from './fakes.js';
import { createMappingProcessor } from './mapping-processor.js';

const metric = { name: 'cpu', unit: 's', description: '', kind: 'counter', valueType: 'double' } as const;

function seriesOf(publisher: string, host: string): readonly [Series] {
  const series = { metric, resource: { attributes: { host } }, attributes: {}, start: 0n };
  setPublisher(series, publisher);
  return [series];
}

const dropResource = <S extends AnySeries>(series: S): S => ({ ...series, resource: { attributes: {} } });

test('createMappingProcessor never sums what two receivers publish, when their series become the same', () => {
  const [log, next] = [createLogCollector(), createTableCollector()];
  const processor = createMappingProcessor(dropResource, createFakeContext({ log }), next);
  const [own, same, other] = [seriesOf('host', 'a'), seriesOf('host', 'b'), seriesOf('replay', 'c')];
  for (const at of [1, 2]) {
    for (const [i, series] of [own, same, other].entries()) {
      assert.equal(processor.consume(createRow(series, BigInt(at), Float64Array.of(10 ** i * at))), true);
    }
  }
  assert.deepEqual(
    next.last('cpu').map(({ value }) => value),
    [22],
  );
  assert.equal(log.lines.length, 1);
  assert.match(log.lines[0] ?? '', /^warn: .*receiver "replay" that receiver "host" publishes, such as cpu/);
});
