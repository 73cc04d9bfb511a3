import type { ConfigOf, Schema } from '../../src/component/schema.js';
import { energyNames } from '../../src/model/energy-names.js';
import { ledgerEnergy } from '../../src/model/ledger-metrics.js';
import { serviceSettings } from '../../src/rating/rate-source.js';

/** One part of a tariff. */
const period = {
  from: { doc: 'When it begins, local time: `22:00`.', format: 'string', default: '00:00' },
  to: { doc: 'When it ends; before `from`: on the next day.', format: 'string', default: '24:00' },
  days: {
    doc: 'Days on which it begins: mon, tue, wed, thu, fri, sat, sun. Empty: every day.',
    format: 'string_list',
    default: [],
  },
  price: { doc: 'Price of a kWh.', format: 'number', default: 0 },
} as const satisfies Schema;

export const schema = {
  price: { doc: 'Price of a kWh.', format: 'number', default: 0.25 },
  currency: { doc: 'Three letters of ISO 4217: EUR, USD.', format: 'string', default: 'EUR' },
  periods: {
    doc: 'Times of day with other prices; the first that matches applies.',
    format: 'list',
    items: period,
    default: [],
  },
  file: {
    doc: 'File with lines `time,price`: RFC 3339 or Unix seconds, and the price of a kWh. Read again when it changes.',
    format: 'path',
    default: null,
  },
  service: {
    doc: 'A web service that knows the price of now; `price` is used while it has none.',
    format: 'group',
    settings: { ...serviceSettings, value: { ...serviceSettings.value, default: 'price' } },
    default: null,
  },
  unit: {
    doc: 'Unit of energy of the prices in the file or from the service.',
    format: ['kWh', 'MWh'],
    default: 'kWh',
  },
  pue: {
    doc: 'Power usage effectiveness: energy of the whole data centre for each joule of its machines.',
    format: 'number',
    default: 1,
    min: 1,
    max: 10,
  },
  metrics: {
    doc: 'Energy counters to derive costs from. Each gives a metric with .cost in place of .energy.',
    format: 'string_list',
    default: [...energyNames, ledgerEnergy.name],
  },
} as const satisfies Schema;

export type Config = ConfigOf<typeof schema>;
export type Period = Config['periods'][number];
