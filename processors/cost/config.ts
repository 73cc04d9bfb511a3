import type { ConfigOf, Schema } from '../../src/component/schema.js';
import { energyNames } from '../../src/model/energy-names.js';
import { ledgerEnergy } from '../../src/model/ledger-metrics.js';
import { serviceSettings } from '../../src/rating/rate-source.js';

/** One part of a tariff. */
const period = {
  from: {
    doc: 'Time of day at which the period begins, such as `22:00`, in the time zone of the machine.',
    format: 'string',
    default: '00:00',
  },
  to: {
    doc: 'Time of day at which the period ends. If it is before `from`, the period ends on the next day.',
    format: 'string',
    default: '24:00',
  },
  days: {
    doc: 'Days on which the period begins: mon, tue, wed, thu, fri, sat, sun. Empty: every day.',
    format: 'string_list',
    default: [],
  },
  price: { doc: 'Price of a kWh, in `currency`.', format: 'number', default: 0 },
} as const satisfies Schema;

export const schema = {
  price: { doc: 'Price of a kWh, in `currency`.', format: 'number', default: 0.25 },
  currency: {
    doc: 'Currency of all prices: three letters of ISO 4217, such as EUR or USD.',
    format: 'string',
    default: 'EUR',
  },
  periods: {
    doc: 'Times of day with other prices. The first period that contains the current time applies.',
    format: 'list',
    items: period,
    default: [],
  },
  file: {
    doc: 'File with lines `time,price`. Times are in RFC 3339 or Unix seconds, prices per kWh or as `unit` says. Read again when it changes.',
    format: 'path',
    reads: 'rates',
    default: null,
  },
  service: {
    doc: 'Web service that is asked for the current price. While it has no value, `price` is used. Unset: none.',
    format: 'group',
    settings: { ...serviceSettings, value: { ...serviceSettings.value, default: 'price' } },
    default: null,
  },
  unit: {
    doc: 'Unit of energy for the prices in `file` and from `service`.',
    format: ['kWh', 'MWh'],
    default: 'kWh',
  },
  pue: {
    doc: 'Power usage effectiveness (PUE): energy of the whole data centre for each joule of its machines. Results are multiplied by it.',
    format: 'number',
    default: 1,
    min: 1,
    max: 10,
  },
  metrics: {
    doc: 'Energy counters from which costs are computed. Each gives a metric with `.cost` in place of `.energy`.',
    format: 'string_list',
    default: [...energyNames, ledgerEnergy.name],
  },
} as const satisfies Schema;

export type Config = ConfigOf<typeof schema>;
export type Period = Config['periods'][number];
