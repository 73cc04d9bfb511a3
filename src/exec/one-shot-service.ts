import type { ExporterFactory } from '../component/component.js';
import type { ServiceConfig } from '../config/service.js';
import type { Clock } from '../linux/clock.js';
import type { Table } from '../model/table.js';
import { Service } from '../pipeline/service.js';
import { createSampling } from '../sampling/sampling-threads.js';
import { createPlainLog } from '../telemetry/log.js';
import { silentMeter } from '../telemetry/telemetry.js';

/** What a command keeps of its pipeline's tables. */
export interface TableRecorder {
  take(table: Table): void;
}

/** The factory of an exporter that adds every table to a recorder. */
export function createRecorderFactory(recorder: TableRecorder): ExporterFactory {
  return {
    schema: {},
    create: () => ({
      start() {},
      shutdown() {},
      consume(table) {
        recorder.take(table);
        return true;
      },
    }),
  };
}

/**
 * A service for the duration of one command: plain log, no telemetry of its own.
 * @param wallOffsetNs what sampling threads add to the monotonic clock, so that it is constant even if the
 * clock is set
 */
export function createOneShotService(config: ServiceConfig, clock: Clock, wallOffsetNs?: bigint): Service {
  const log = createPlainLog(config.telemetry.logs.level);
  return new Service(config, {
    logFor: (kind, id) => (kind && id !== undefined ? log.forComponent(id, kind) : log),
    clock,
    meter: silentMeter,
    host: { attributes: {} },
    sampling: createSampling({
      log,
      meter: silentMeter,
      ...(wallOffsetNs !== undefined && { wallOffsetNs }),
    }),
  });
}
