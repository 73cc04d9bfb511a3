import { hostname } from 'node:os';
import type { ExporterFactory } from '../../src/component/component.js';
import type { Log } from '../../src/component/log.js';
import { readResourceEnvironment } from '../../src/component/resource-environment.js';
import { servePages, type PageServer } from '../../src/http/server.js';
import { ATTR_HOST_NAME } from '../../src/model/semantic-conventions.js';
import type { Resource } from '../../src/model/series.js';
import { schema, type Config } from './config.js';
import { Intake } from './intake.js';
import { createPages, PageSource, type PageReader } from './page.js';
import { SeriesStore } from './store.js';

const standardEndpoint = 'localhost:9464';

export const factory: ExporterFactory<typeof schema> = {
  schema,
  check: ({ path }) =>
    path.startsWith('/') ? [] : [`path: expected a path such as "/metrics", found "${path}"`],
  listensAt: ({ endpoint }) => [endpoint ?? standardEndpoint],
  create(config, { id, log, clock, host }) {
    const nowMs = () => Number(clock.monotonicNs() / 1_000_000n);
    const store = createStore(config, log, host);
    const intake = new Intake(store, (message) => log.warn(message));
    const source = new PageSource((now) => store.takeSnapshot(now), nowMs);
    const pages: PageReader = {
      async read(format, isCompressed) {
        intake.sweep(nowMs());
        // A page shows a single instant, so tables must be taken completely.
        while (intake.settled !== undefined) await intake.settled;
        return source.read(format, isCompressed);
      },
    };
    let listener: PageServer | undefined;
    return {
      async start() {
        const where = {
          chosen: config.endpoint,
          fallback: standardEndpoint,
          log,
          setting: `exporters.${id}.endpoint`,
          webConfigFile: config.web_config_file,
        };
        listener = await servePages(createPages(config.path, pages), where);
        if (listener) log.info(`Serving metrics at ${listener.origin}${config.path}`);
      },
      consume(table) {
        // Without an endpoint the tables would never be read.
        if (listener) intake.take(table, nowMs());
        return true;
      },
      consumeHistograms(table) {
        if (listener) store.takeHistograms(table, nowMs());
        return true;
      },
      async shutdown() {
        await listener?.close();
      },
    };
  },
};

function createStore(config: Config, log: Log, host: Resource): SeriesStore {
  return new SeriesStore({
    identityLabels: config.identity_labels,
    // The host name in a machine's resource, which identifies it.
    host: { [ATTR_HOST_NAME]: hostname(), ...host.attributes },
    common: readResourceEnvironment(process.env, () => {}),
    endedForMs: config.ended_for,
    hasStarts: config.created_timestamps,
    warn: (message) => log.warn(message),
  });
}
