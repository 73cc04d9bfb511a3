import type { ConfigOf, Schema } from '../../src/component/schema.js';
import { listMeters, meterIntervalSetting } from '../../src/scraping/meter-receiver.js';

export const quantities = ['energy', 'power', 'voltage', 'current', 'temperature'] as const;

const endpointSettings = {
  endpoint: {
    doc: 'Address of the SNMP agent of a device, `host:port` over UDP.',
    format: 'endpoint',
    default: 'localhost:161',
  },
  version: { doc: 'Version of SNMP.', format: ['2c', '1', '3'], default: '2c' },
  community: {
    doc: 'Community, for versions 1 and 2c. It is sent unencrypted.',
    format: 'string',
    default: 'public',
    sensitive: true,
  },
  user: { doc: 'User name, for version 3.', format: 'string', default: '' },
  auth_protocol: {
    doc: 'How messages of version 3 are authenticated.',
    format: ['none', 'md5', 'sha', 'sha224', 'sha256', 'sha384', 'sha512'],
    default: 'none',
  },
  auth_password: {
    doc: 'Password for authentication, at least 8 characters.',
    format: 'string',
    default: '',
    sensitive: true,
  },
  privacy_protocol: {
    doc: 'How messages of version 3 are encrypted. `aes256b` and `aes256r` are AES with 256 bits and two ways of extending the key: that of most devices (`aes256b`) and that of Cisco (`aes256r`).',
    format: ['none', 'des', 'aes', 'aes256b', 'aes256r'],
    default: 'none',
  },
  privacy_password: {
    doc: 'Password for encryption, at least 8 characters.',
    format: 'string',
    default: '',
    sensitive: true,
  },
  preset: {
    doc: 'MIB whose tables are read. `auto`: that of the vendor that the device reports, otherwise `ups` and `entity_sensor`. `none`: only `objects` are read.',
    format: [
      'auto',
      'none',
      'apc_rpdu2',
      'raritan_pdu2',
      'servertech_sentry4',
      'eaton_epdu',
      'ups',
      'entity_sensor',
    ],
    default: 'auto',
  },
} as const satisfies Schema;

const objectSettings = {
  oid: {
    doc: 'OID of a column of a table, or of a single object including its instance.',
    format: 'string',
    default: '',
  },
  quantity: { doc: 'Quantity that the object reports.', format: quantities, default: 'power' },
  scale: {
    doc: 'Factor from the value of the object to joules, watts, volts, amperes or degrees Celsius: `360000` for energy in tenths of a kilowatt-hour.',
    format: 'number',
    default: 1,
  },
  type: {
    doc: 'Type of the part that is measured, published as `hw.type`.',
    format: 'string',
    default: 'outlet',
  },
} as const satisfies Schema;

export const schema = {
  collection_interval: meterIntervalSetting,
  endpoints: listMeters(endpointSettings),
  objects: {
    doc: 'Objects to read from every device in addition to those of the preset. Objects with the same type and instance belong to the same part of the device.',
    format: 'list',
    items: objectSettings,
    default: [],
  },
  timeout: {
    doc: 'Time without an answer after which a request is sent again.',
    format: 'duration',
    default: '1s',
    min: 1,
  },
  retries: {
    doc: 'How many times a request is sent again before the reading fails.',
    format: 'int',
    default: 2,
    min: 0,
    max: 10,
  },
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
