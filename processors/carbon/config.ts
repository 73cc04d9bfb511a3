import type { ConfigOf, Schema } from '../../src/component/schema.js';
import { energyNames } from '../../src/model/energy-names.js';
import { ledgerEnergy } from '../../src/model/ledger-metrics.js';
import { serviceSettings } from '../../src/rating/rate-source.js';

export const schema = {
  intensity: {
    doc: 'Carbon intensity of the electricity where the machine is, in grams of CO2 equivalent per kWh.',
    format: 'number',
    default: null,
    min: 0,
  },
  country: {
    doc: 'Country whose yearly mean is used where neither `intensity` nor `file` is set, and while `service` has no value: three letters of ISO 3166-1 such as FRA, or WLD, the world.',
    format: 'string',
    default: 'WLD',
  },
  file: {
    doc: 'File with lines `time,intensity`: RFC 3339 or Unix seconds, and g/kWh. Read again when it changes.',
    format: 'path',
    default: null,
  },
  service: {
    doc: 'A web service that knows the intensity of now.',
    format: 'group',
    settings: serviceSettings,
    default: null,
  },
  intensity_type: {
    doc: 'What `intensity`, `file` or `service` states: the mean of all electricity that is generated at the time (average), or what one more kilowatt-hour would emit (marginal). An attribute of `carbon.intensity`.',
    format: ['average', 'marginal'],
    default: 'average',
  },
  market: {
    doc: 'Also market-based: by the contracts of who buys the electricity.',
    format: 'group',
    settings: {
      intensity: {
        doc: 'Carbon intensity of the electricity that is bought, in g/kWh; 0 for electricity with guarantees of origin.',
        format: 'number',
        default: 0,
        min: 0,
      },
    },
    default: null,
  },
  pue: {
    doc: 'Power usage effectiveness: energy of the whole data centre for each joule of its machines.',
    format: 'number',
    default: 1,
    min: 1,
    max: 10,
  },
  embodied: {
    doc: 'Also the emissions of making the machine, spread evenly over its life.',
    format: 'group',
    settings: {
      kilograms: {
        doc: 'CO2 equivalent of making, transporting and disposing of the machine, in kilograms.',
        format: 'number',
        default: 1000,
        min: 0,
      },
      years: { doc: 'How long the machine is in use.', format: 'number', default: 4, min: 0.1, max: 100 },
    },
    default: null,
  },
  metrics: {
    doc: 'Energy counters to derive emissions from. Each gives a metric with .carbon in place of .energy.',
    format: 'string_list',
    default: [...energyNames, ledgerEnergy.name],
  },
} as const satisfies Schema;

export type Config = ConfigOf<typeof schema>;
