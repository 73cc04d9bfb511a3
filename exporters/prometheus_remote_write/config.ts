import type { ConfigOf, Schema } from '../../src/component/schema.js';
import { checkSendingConfig, requestSettings } from '../../src/export/sending-settings.js';
import { checkClientConfig, clientSettings } from '../../src/http/client.js';
import { identityLabelsSetting } from '../../src/prometheus/identity-labels.js';

export const schema = {
  endpoint: {
    doc: 'URL that accepts remote writes.',
    format: 'url',
    default: 'http://localhost:9090/api/v1/write',
  },
  protobuf_message: {
    doc: 'The message that is sent: that of protocol 2.0, with start timestamps and metadata in each request, or that of protocol 1.0. If the backend does not support 2.0, 1.0 is used.',
    format: ['io.prometheus.write.v2.Request', 'prometheus.WriteRequest'],
    default: 'io.prometheus.write.v2.Request',
  },
  external_labels: {
    doc: 'Labels that are added to every series that does not have them.',
    format: 'string_map',
    default: {},
  },
  identity_labels: identityLabelsSetting,
  target_info: {
    enabled: {
      doc: 'Whether `target_info`, with the attributes of the machine and of services, is sent once a minute.',
      format: 'boolean',
      default: true,
    },
  },
  native_histograms: {
    doc: 'Whether exponential histograms are sent as native histograms in protocol 2.0, rather than as a series per bucket.',
    format: 'boolean',
    default: true,
  },
  send_metadata: {
    doc: 'Whether metadata is sent in protocol 1.0, once a minute. In 2.0 it is a part of each series.',
    format: 'boolean',
    default: true,
  },
  ...clientSettings,
  ...requestSettings,
} as const satisfies Schema;

export type Config = ConfigOf<typeof schema>;

/** Validates settings that depend on each other. */
export function checkConfig(config: Config): string[] {
  const { num_consumers: consumers } = config.sending_queue;
  const problems = [...checkSendingConfig(config), ...checkClientConfig(config)];
  if (consumers > 1)
    problems.push(
      `sending_queue.num_consumers: expected 1, with which the samples of a series arrive in order, found ${consumers}`,
    );
  for (const name of Object.keys(config.external_labels)) {
    if (!/^[a-zA-Z_][a-zA-Z0-9_]*$/u.test(name) || name.startsWith('__'))
      problems.push(`external_labels.${name}: expected the name of a label of Prometheus`);
  }
  return problems;
}
