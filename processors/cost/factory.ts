import type { ConsumingComponent, Context, ProcessorFactory } from '../../src/component/component.js';
import type { Consumer } from '../../src/component/consumer.js';
import type { Log } from '../../src/component/log.js';
import { checkClientConfig } from '../../src/http/client.js';
import { checkEnergyNames, deriveEnergyName } from '../../src/model/energy-names.js';
import type { Metric } from '../../src/model/series.js';
import type { Rate } from '../../src/rating/rate.js';
import { FileRateSource, ServiceRateSource, type RateSource } from '../../src/rating/rate-source.js';
import { createRatedProcessor, type RateStatus } from '../../src/rating/rated-processor.js';
import { schema, type Config } from './config.js';
import { checkPeriod, Tariff } from './tariff.js';

const joulesPerUnit = { kWh: 3.6e6, MWh: 3.6e9 } as const;

function createCostMetric(energyName: string, currency: string): Metric {
  return {
    name: deriveEnergyName(energyName, 'cost'),
    unit: `{${currency}}`,
    description: `Cost of ${energyName}; falls while prices are negative`,
    kind: 'updowncounter',
    valueType: 'double',
  };
}

function createPriceMetric(currency: string): Metric {
  return {
    name: 'energy.price',
    unit: `{${currency}}/(kW.h)`,
    description: 'Price of electricity',
    kind: 'gauge',
    valueType: 'double',
  };
}

const defaultCurrency = schema.currency.default;

export const factory: ProcessorFactory<typeof schema> = {
  schema,
  metrics: [
    ...schema.metrics.default.map((name) => createCostMetric(name, defaultCurrency)),
    createPriceMetric(defaultCurrency),
  ],
  check,
  create,
};

function check({ metrics, currency, periods, file, service }: Config): readonly string[] {
  const problems = [
    ...checkEnergyNames(metrics),
    ...periods.flatMap(checkPeriod),
    ...(service ? checkClientConfig(service) : []),
  ];
  const main = [periods.length > 0, file !== null, service !== null].filter(Boolean).length;
  if (main > 1) problems.push('periods, file, service: expected one of them, found several');
  if (service !== null && service.endpoint === null)
    problems.push('service.endpoint: expected an address, found none');
  if (!/^[A-Z]{3}$/u.test(currency)) {
    problems.push(`currency: expected three capital letters such as EUR, found "${currency}"`);
  }
  return problems;
}

function create(config: Config, context: Context, next: Consumer): ConsumingComponent {
  const { currency } = config;
  const metrics = new Map(config.metrics.map((name) => [name, createCostMetric(name, currency)]));
  const source = openSource(config, context.log);
  const { price, periods, pue } = config;
  const rate = source?.rate ?? new Tariff(periods, price, pue / joulesPerUnit.kWh);
  return createRatedProcessor({
    ratings: [{ metricOf: (name) => metrics.get(name), attributes: {}, rate }],
    sources: source ? [source] : [],
    next,
    createStatus: (start): RateStatus => ({
      series: [{ metric: createPriceMetric(currency), resource: context.host, attributes: {}, start }],
      replaceChanged: () => [],
      read: (at) => Float64Array.of(readPrice(rate, at) / pue),
    }),
  });
}

/** The price of a kilowatt-hour, including the overhead of the PUE. */
function readPrice(rate: Rate, at: bigint): number {
  return rate.at(Number(at)) * joulesPerUnit.kWh;
}

function openSource({ file, service, unit, price, pue }: Config, log: Log): RateSource | undefined {
  const units = { perJoule: pue / joulesPerUnit[unit], min: -Infinity };
  if (file !== null) return new FileRateSource(file, units, log);
  if (service === null) return undefined;
  const fallback = (price * pue) / joulesPerUnit.kWh;
  return new ServiceRateSource({ ...service, endpoint: service.endpoint ?? '' }, { units, fallback, log });
}
