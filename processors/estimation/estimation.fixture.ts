import type { Owners } from '../../src/component/claims.js';
import { createFakeContext, createTableCollector } from '../../src/component/fakes.js';
import { parseSettings } from '../../src/config/settings.js';
import type { Attributes, Metric, Resource, Series } from '../../src/model/series.js';
import { hostEnergy, hwEnergy } from '../../src/model/shared-metrics.js';
import { createRow } from '../../src/model/table.js';
import { busyTime, logicalCpus } from '../../src/model/usage-metrics.js';
import { factory } from './factory.js';

const epoch = 1_800_000_000_000_000_000n;
const node: Resource = { attributes: { 'host.name': 'node' } };

export function unixNs(seconds: number): bigint {
  return epoch + BigInt(Math.round(seconds * 1e9));
}

/** A series of this metric on a host. */
export function createSeries(metric: Metric | string, attributes: Attributes = {}, resource = node): Series {
  const kind = metric === 'system.memory.limit' || metric === 'system.cpu.frequency' ? 'gauge' : 'counter';
  const whole =
    typeof metric === 'string'
      ? ({ name: metric, unit: '1', description: '', kind, valueType: 'double' } as const)
      : metric;
  return { metric: whole, resource, attributes, start: epoch };
}

/** Claims as made by receivers, which a test may change. */
export class FakeOwners implements Owners {
  isComplete = true;
  version = 0;
  #keys: readonly string[] = [];

  claim(...keys: readonly string[]): void {
    this.#keys = keys;
    this.version += 1;
  }

  ownerOf(key: string): string | undefined {
    return this.#keys.some((one) => `${one}/`.startsWith(`${key}/`)) ? 'meter' : undefined;
  }
}

/** A processor on the host `node`, and its output. */
export function create(settings: object = {}, owners = new FakeOwners()) {
  const out = createTableCollector();
  const context = createFakeContext({ owners, host: node });
  const processor = factory.create(
    parseSettings(factory.schema, { sysfs: '/nonexistent', ...settings }),
    context,
    out,
  );
  const busy = [createSeries(busyTime)];
  const cpus = [createSeries(logicalCpus)];
  return {
    out,
    owners,
    consume: processor.consume.bind(processor),
    row: (series: readonly Series[], atS: number, ...values: readonly number[]) =>
      processor.consume(createRow(series, unixNs(atS), Float64Array.from(values))),
    cpus: (atS: number, count: number) =>
      processor.consume(createRow(cpus, unixNs(atS), Float64Array.of(count))),
    busy: (atS: number, seconds: number) =>
      processor.consume(createRow(busy, unixNs(atS), Float64Array.of(seconds))),
    /** The last energy of each estimate by metric and `hw.id`. */
    joules: () =>
      Object.fromEntries(
        [hostEnergy.name, hwEnergy.name, 'hw.meter.energy'].flatMap((name) =>
          out
            .last(name)
            .flatMap(({ series: { attributes }, value }) =>
              attributes['energy.method'] === 'estimated' ? [[`${name} ${attributes['hw.id']}`, value]] : [],
            ),
        ),
      ),
  };
}
