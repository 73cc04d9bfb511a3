import type { ConsumingComponent, Context, ProcessorFactory } from '../../src/component/component.js';
import type { Consumer } from '../../src/component/consumer.js';
import { checkClientConfig } from '../../src/http/client.js';
import { checkEnergyNames, deriveEnergyName } from '../../src/model/energy-names.js';
import { ATTR_CARBON_ACCOUNTING } from '../../src/model/semantic-conventions.js';
import type { Attributes, Metric, Series } from '../../src/model/series.js';
import { embodiedCarbon } from '../../src/model/shared-metrics.js';
import { createConstantRate } from '../../src/rating/rate.js';
import type { Rating } from '../../src/rating/rated-energy.js';
import { createRatedProcessor, type RateStatus } from '../../src/rating/rated-processor.js';
import { schema, type Config } from './config.js';
import { countries } from './countries.js';
import { joulesPerKwh, openIntensity, type Intensity } from './intensity.js';

const sourceName = 'carbon.source';
const gramsPerKilogram = 1000;
const nsPerYear = 365.25 * 86_400e9;

/** Grams of CO2 equivalent per kilowatt-hour. */
const carbonIntensity: Metric = {
  name: 'carbon.intensity',
  unit: 'g/(kW.h)',
  description: 'Greenhouse gas emissions of a kilowatt-hour of electricity, in CO2 equivalent',
  kind: 'gauge',
  valueType: 'double',
};

const intensityAge: Metric = {
  name: 'carbon.intensity.age',
  unit: 's',
  description: 'Time since the carbon intensity was last read from its file or service',
  kind: 'gauge',
  valueType: 'double',
};

function createCarbonMetric(energyName: string): Metric {
  return {
    name: deriveEnergyName(energyName, 'carbon'),
    unit: 'g',
    description: `Greenhouse gas emissions of ${energyName}, in CO2 equivalent`,
    kind: 'counter',
    valueType: 'double',
  };
}

export const factory: ProcessorFactory<typeof schema> = {
  schema,
  metrics: [...schema.metrics.default.map(createCarbonMetric), carbonIntensity, intensityAge, embodiedCarbon],
  check,
  create,
};

function check({
  metrics,
  intensity,
  country,
  file,
  service,
  intensity_type: type,
}: Config): readonly string[] {
  const main = [intensity, file, service].filter((one) => one !== null).length;
  const problems = [...checkEnergyNames(metrics), ...(service ? checkClientConfig(service) : [])];
  if (main > 1) problems.push('intensity, file, service: expected one of them, found several');
  if (main === 0 && type !== 'average')
    problems.push(`intensity_type: expected average, as the mean of a country is, found ${type}`);
  if (service !== null && service.endpoint === null)
    problems.push('service.endpoint: expected an address, found none');
  if (countries[country] === undefined) {
    problems.push(`country: expected three letters of ISO 3166-1 such as FRA, found "${country}"`);
  }
  return problems;
}

function create(config: Config, context: Context, next: Consumer): ConsumingComponent {
  const intensity = openIntensity(config, context.log);
  const metrics = new Map(config.metrics.map((name) => [name, createCarbonMetric(name)]));
  const createRating = (accounting: string, rate: Rating['rate']): Rating => ({
    metricOf: (name) => metrics.get(name),
    attributes: { [ATTR_CARBON_ACCOUNTING]: accounting },
    rate,
  });
  const ratings = [createRating('location', intensity.rate)];
  if (config.market) {
    const perJoule = (config.pue * config.market.intensity) / joulesPerKwh;
    ratings.push(createRating('market', createConstantRate(perJoule)));
  }
  return createRatedProcessor({
    ratings,
    sources: intensity.source ? [intensity.source] : [],
    next,
    createStatus: (at) => createStatus(at, { config, context, intensity }),
  });
}

interface StatusOptions {
  readonly config: Config;
  readonly context: Context;
  readonly intensity: Intensity;
}

/** Emissions per joule are rounded: 400 g/kWh would be shown as 399.99999999999994. */
function withoutRounding(value: number): number {
  return Number(value.toPrecision(12));
}

/** A series and how its value is read. */
interface Line {
  /** Replaced when its source changes. */
  series: Series;
  /** @param at Unix time in nanoseconds */
  read(at: bigint): number;
}

/** Starts other series for those that name another source. @returns those that they replace */
function replaceSource(lines: readonly Line[], name: string, start: bigint): readonly Series[] {
  const ended: Series[] = [];
  for (const line of lines) {
    const { attributes } = line.series;
    if (attributes[sourceName] === undefined || attributes[sourceName] === name) continue;
    ended.push(line.series);
    line.series = { ...line.series, attributes: { ...attributes, [sourceName]: name }, start };
  }
  return ended;
}

function createStatus(start: bigint, { config, context, intensity }: StatusOptions): RateStatus {
  const { embodied, pue, intensity_type: type } = config;
  const { source, rate } = intensity;
  const describe = (metric: Metric, attributes: Attributes): Series => ({
    metric,
    resource: context.host,
    attributes,
    start,
  });
  const attributes = {
    [ATTR_CARBON_ACCOUNTING]: 'location',
    [sourceName]: intensity.describe(),
    'carbon.intensity.type': type,
  };
  const lines: Line[] = [
    {
      series: describe(carbonIntensity, attributes),
      read: (at) => withoutRounding((rate.at(Number(at)) * joulesPerKwh) / pue),
    },
  ];
  if (source) {
    const ageOf = (at: bigint) => (Number(at) / 1e6 - source.updatedAtMs) / 1000;
    lines.push({ series: describe(intensityAge, attributes), read: (at) => Math.max(0, ageOf(at)) });
  }
  if (embodied) {
    const perNs = (embodied.kilograms * gramsPerKilogram) / (embodied.years * nsPerYear);
    lines.push({ series: describe(embodiedCarbon, {}), read: (at) => Number(at - start) * perNs });
  }
  let series = lines.map((line) => line.series);
  return {
    get series() {
      return series;
    },
    replaceChanged(at) {
      const ended = replaceSource(lines, intensity.describe(), at);
      if (ended.length > 0) series = lines.map((line) => line.series);
      return ended;
    },
    read: (at) => Float64Array.from(lines, (line) => line.read(at)),
  };
}
