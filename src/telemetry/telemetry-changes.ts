import { isDeepStrictEqual } from 'node:util';
import type { SettingChanges } from '../component/agent-control.js';
import type { TelemetryConfig } from '../config/service-schema.js';
import { describeError } from '../errors.js';
import type { RootLog } from './log.js';
import { findPull, type PullOptions, type Telemetry } from './telemetry.js';

const root = 'service.telemetry';

type Metrics = TelemetryConfig['metrics'];

/** The own telemetry of a running agent, as its configuration changes. */
export class TelemetryChanges {
  readonly #log: Pick<RootLog, 'configure'>;
  readonly #telemetry: Pick<Telemetry, 'move'>;
  /** As it was at the start. */
  readonly #config: TelemetryConfig;
  /** The current values of the rest. */
  #logs: TelemetryConfig['logs'];
  #pull: PullOptions | undefined;

  /** @param config with which the log and the telemetry were started */
  constructor(config: TelemetryConfig, log: Pick<RootLog, 'configure'>, telemetry: Pick<Telemetry, 'move'>) {
    this.#config = config;
    this.#logs = config.logs;
    this.#pull = findPull(config.metrics);
    this.#log = log;
    this.#telemetry = telemetry;
  }

  /**
   * Changes what can be changed: how logs are written, immediately, and where metrics are served, once the new
   * address is available. Never rejects.
   */
  async apply(next: TelemetryConfig): Promise<SettingChanges> {
    const { metrics } = this.#config;
    const logs = await this.#changeLogs(next.logs);
    const pull = await this.#changePull(next.metrics);
    const kept = [
      ...pull.kept,
      ...findKept('metrics.level', metrics.level, next.metrics.level),
      ...findKept('metrics.readers[].periodic', listPushes(metrics), listPushes(next.metrics)),
      ...findKept('resource', this.#config.resource, next.resource),
    ];
    return { settings: [...logs, ...pull.settings], kept };
  }

  async #changeLogs(next: TelemetryConfig['logs']): Promise<readonly string[]> {
    const logs = this.#logs;
    const names = (['level', 'encoding'] as const).filter((name) => logs[name] !== next[name]);
    if (names.length === 0) return [];
    await this.#log.configure({ level: next.level, format: next.encoding });
    this.#logs = next;
    return names.map((name) => `${root}.logs.${name}`);
  }

  /** With the level `none`, nothing is served, although another level takes effect only at the next start. */
  async #changePull({ level, readers }: Metrics): Promise<SettingChanges> {
    const pull = level === 'none' ? undefined : findPull({ ...this.#config.metrics, readers });
    if (isDeepStrictEqual(this.#pull, pull)) return { settings: [], kept: [] };
    const name = `${root}.metrics.readers[].pull`;
    try {
      await this.#telemetry.move(pull);
    } catch (error) {
      const former = this.#pull ? 'the former address stays' : 'nothing is served';
      return { settings: [], kept: [`Cannot change ${name}: ${describeError(error)}; ${former}`] };
    }
    this.#pull = pull;
    return { settings: [name], kept: [] };
  }
}

function listPushes({ readers }: Metrics): readonly unknown[] {
  return readers.flatMap(({ periodic }) => periodic ?? []);
}

function findKept(name: string, former: unknown, next: unknown): readonly string[] {
  return isDeepStrictEqual(former, next) ? [] : [describeKept(name)];
}

function describeKept(name: string): string {
  return `Cannot change ${root}.${name} while the agent runs: expected what it was started with, found another value; restart the agent`;
}
