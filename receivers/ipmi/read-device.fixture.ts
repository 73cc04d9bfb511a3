import { createFakeContext, createTableCollector } from '../../src/component/fakes.js';
import { parseSettings } from '../../src/config/settings.js';
import { until } from '../../src/testing/until.js';
import { factory } from './factory.js';
import { metrics } from './metrics.js';

// A test program: reads /dev/ipmi0 until a number of sensors have a value, and prints the probe and the last
// value of every series.

const wanted = Number(process.argv[2]);
const config = parseSettings(factory.schema, { collection_interval: '100ms', sensor_interval: '100ms' });
const context = createFakeContext({ id: 'ipmi' });
const next = createTableCollector();
const probe = await factory.probe(config, context);
const receiver = factory.create(config, context, next);
const listLast = () => metrics.flatMap(({ name }) => next.last(name));
try {
  await receiver.start();
  await until(() => listLast().length >= wanted);
} finally {
  await receiver.shutdown();
}
const last = listLast().map(({ series: { metric, attributes }, value }) => ({
  metric: metric.name,
  attributes,
  value,
}));
process.stdout.write(`${JSON.stringify({ probe, last })}\n`);
