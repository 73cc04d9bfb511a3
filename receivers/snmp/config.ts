import type { ConfigOf, Schema } from '../../src/component/schema.js';
import { listMeters, meterIntervalSetting } from '../../src/scraping/meter-receiver.js';

export const quantities = ['energy', 'power', 'voltage', 'current', 'temperature'] as const;

const endpointSettings = {
  endpoint: {
    doc: 'Where the agent of a device listens, UDP.',
    format: 'endpoint',
    default: 'localhost:161',
  },
  version: { doc: 'Version of SNMP.', format: ['2c', '1', '3'], default: '2c' },
  community: {
    doc: 'Community of versions 1 and 2c, which is sent unencrypted.',
    format: 'string',
    default: 'public',
    sensitive: true,
  },
  user: { doc: 'User of version 3.', format: 'string', default: '' },
  auth_protocol: {
    doc: 'How messages of version 3 are authenticated.',
    format: ['none', 'md5', 'sha', 'sha224', 'sha256', 'sha384', 'sha512'],
    default: 'none',
  },
  auth_password: {
    doc: 'Password for that, at least 8 characters.',
    format: 'string',
    default: '',
    sensitive: true,
  },
  privacy_protocol: {
    doc: 'How messages of version 3 are encrypted; the last two are AES with 256 bits, as most devices and as Cisco extend its key.',
    format: ['none', 'des', 'aes', 'aes256b', 'aes256r'],
    default: 'none',
  },
  privacy_password: {
    doc: 'Password for that, at least 8 characters.',
    format: 'string',
    default: '',
    sensitive: true,
  },
  preset: {
    doc: 'Tables to read: those of a MIB; `auto`: those of the vendor that the device reports; `none`: only `objects`.',
    format: [
      'auto',
      'none',
      'apc_rpdu2',
      'raritan_pdu2',
      'servertech_sentry4',
      'eaton_epdu',
      'entity_sensor',
    ],
    default: 'auto',
  },
} as const satisfies Schema;

const objectSettings = {
  oid: { doc: 'A column of a table, or an object with its instance.', format: 'string', default: '' },
  quantity: { doc: 'Quantity that the object reports.', format: quantities, default: 'power' },
  scale: {
    doc: 'Joules, watts, volts, amperes or degrees Celsius in one of its units: `360000` for energy in tenths of a kilowatt-hour.',
    format: 'number',
    default: 1,
  },
  type: { doc: 'Type of the measured part, for `hw.type`.', format: 'string', default: 'outlet' },
} as const satisfies Schema;

export const schema = {
  collection_interval: meterIntervalSetting,
  endpoints: listMeters(endpointSettings),
  objects: {
    doc: 'Objects that are read from every device in addition to those of the preset. Objects of one type and instance belong together.',
    format: 'list',
    items: objectSettings,
    default: [],
  },
  timeout: {
    doc: 'How long to wait for an answer before a request is sent again.',
    format: 'duration',
    default: '1s',
    min: 1,
  },
  retries: { doc: 'How often a request is sent again.', format: 'int', default: 2, min: 0, max: 10 },
} as const satisfies Schema;

export type Config = ConfigOf<typeof schema>;
export type Endpoint = Config['endpoints'][number];
export type Quantity = (typeof quantities)[number];

const oidPattern = /^\.?\d+(?:\.\d+)+$/u;

/** Validates settings that depend on each other. */
export function checkConfig({ endpoints, objects }: Config): string[] {
  const wrong = objects.flatMap(({ oid }, i) =>
    oidPattern.test(oid) ? [] : [`objects.${i}.oid: expected numbers with dots between, found "${oid}"`],
  );
  return [...wrong, ...endpoints.flatMap((endpoint, i) => checkEndpoint(endpoint, `endpoints.${i}`))];
}

function checkEndpoint(endpoint: Endpoint, path: string): string[] {
  const { version, user, auth_protocol: auth, privacy_protocol: privacy, measures, channels } = endpoint;
  const problems: string[] = [];
  if (version === '3' && user === '')
    problems.push(`${path}.user: expected a user for version 3, found none`);
  if (privacy !== 'none' && auth === 'none') {
    problems.push(`${path}.auth_protocol: expected one beside privacy_protocol, found none`);
  }
  const passwords = [
    ['auth_password', auth, endpoint.auth_password],
    ['privacy_password', privacy, endpoint.privacy_password],
  ] as const;
  for (const [name, protocol, password] of passwords) {
    if (protocol !== 'none' && password.length < 8) {
      problems.push(`${path}.${name}: expected at least 8 characters, found ${password.length}`);
    }
  }
  if (measures === 'host' && channels.length === 0) {
    problems.push(`${path}.channels: expected the outlets of the host for measures: host, found none`);
  }
  return problems;
}
