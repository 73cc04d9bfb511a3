import type { ProcessorFactory } from '../../src/component/component.js';
import { checkClientConfig } from '../../src/http/client.js';
import { schema, sourceNames, type Config } from './config.js';
import { SourceList } from './source-list.js';
import { createDiscovery } from './sources.js';
import { WorkloadNames } from './workload-names.js';

/** 16 MB of values: far more than arrives while tables are held. */
const maxHeldPoints = 2_000_000;

export const factory: ProcessorFactory<typeof schema> = {
  schema,
  check: (config) => [...checkSources(config), ...checkClients(config)],
  create(config, context, next) {
    const decided = context.meter.createCounter('joulemetry.workload_names.ids', {
      description: 'Ids of workloads whose names were looked up, by outcome',
    });
    const names = new SourceList(createDiscovery(config, context), context.log, config.start_wait);
    const options = {
      maxWaitMs: config.max_wait,
      maxHeldPoints,
      onDecision: (outcome: string) => decided.add(1, { processor: context.id, outcome }),
    };
    return new WorkloadNames(names, options, next);
  },
};

function checkSources({ sources }: Config): readonly string[] {
  const known = ['auto', ...sourceNames];
  return sources
    .filter((name) => !known.includes(name))
    .map((name) => `sources: expected some of ${known.join(', ')}, found "${name}"`);
}

function checkClients({ api_server: server, kubelet }: Config): readonly string[] {
  return Object.entries({ api_server: server, kubelet }).flatMap(([path, client]) =>
    checkClientConfig({ ...client, timeout: 1 }).map((problem) => `${path}.${problem}`),
  );
}
