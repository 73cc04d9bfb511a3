import type { ComponentKind } from './kinds.js';

/**
 * What a component is doing. failed: it could not start, or cannot work at present; disabled: a receiver that
 * does not run because its source is missing or because the receiver that it is a fallback for is running.
 */
export type ComponentState = 'starting' | 'running' | 'paused' | 'failed' | 'stopped' | 'disabled';

/** One running instance of a configured component: a processor has one in each pipeline. */
export interface ComponentStatus {
  readonly kind: ComponentKind;
  /** As in the configuration: `rapl` or `rapl/second`. */
  readonly id: string;
  /** The pipelines that use it; none for extensions. */
  readonly pipelines: readonly string[];
  readonly state: ComponentState;
  /** When it entered this state. */
  readonly since: Date;
  /** The last error or warning that it logged, or the reason why it is not running. */
  readonly lastError?: { readonly message: string; readonly at: Date };
  /** For receivers that read at intervals: the intervals in milliseconds, by setting. */
  readonly intervalsMs?: Readonly<Record<string, number>>;
  /** Points since its start: those that a receiver passed on, or that a consumer accepted. */
  readonly acceptedPoints: number;
  /** Points refused since its start: by the pipelines for a receiver, otherwise by the component itself. */
  readonly refusedPoints: number;
}

/** Which settings of the agent itself changed. */
export interface SettingChanges {
  /** The changed ones: `service.telemetry.logs.level`. */
  readonly settings: readonly string[];
  /** Why others were not changed, each with the name of the setting. */
  readonly kept: readonly string[];
}

/** The result of a request to read the configuration again. Components are named as in messages: `receiver "rapl"`. */
export interface ReloadResult extends Partial<SettingChanges> {
  /**
   * - unchanged: the configuration is the running one;
   * - changed: the agent runs with the new configuration;
   * - refused: the new configuration is invalid, or cannot be read, and nothing has changed;
   * - rolled_back: a component could not start with the new configuration; the agent runs with the old one.
   */
  readonly outcome: 'unchanged' | 'changed' | 'refused' | 'rolled_back';
  readonly started: readonly string[];
  readonly stopped: readonly string[];
  /** Stopped and started with other settings. */
  readonly restarted: readonly string[];
  /** Why it was refused or rolled back. */
  readonly problem?: string;
}

/**
 * The running agent, as extensions control it. A component is named by its kind and id, `exporter:file`; a
 * receiver also by its id alone. A processor's name selects all of its instances. Methods that fail reject with
 * an error whose message is for users.
 */
export interface AgentControl {
  /** Reads the configuration again and applies what has changed. Never rejects. */
  reload(): Promise<ReloadResult>;
  /** Whether its shutdown has started. */
  readonly isStopping: boolean;
  /** Every component, in the order of the configuration: along the pipelines, then extensions. */
  listComponents(): readonly ComponentStatus[];
  /**
   * Stops the readings of a receiver until it is resumed: its series then continue after a gap. A paused
   * processor passes tables on unchanged, and a paused exporter drops them. The pause outlasts a restart of the
   * component by a reload.
   */
  pause(name: string): Promise<void>;
  /** Ends a pause. */
  resume(name: string): Promise<void>;
  /**
   * Makes a receiver read at another interval, until it is restarted.
   * @param setting which of its intervals, if it has two: `collection_interval`
   */
  setInterval(name: string, intervalMs: number, setting?: string): Promise<void>;
  /** Makes a receiver take a reading now and forward what it holds. */
  trigger(name: string): Promise<void>;
  /**
   * Shuts a receiver or an exporter down permanently: only a restart of the agent or a change of its settings
   * starts it again. Receivers that were refused its claims get them.
   */
  stop(name: string): Promise<void>;
  /** Makes every receiver take a reading now, and processors and exporters forward what they hold. */
  flush(): Promise<void>;
  /**
   * Why a watchdog should restart the agent: in some pipeline, none of the receivers that should read does.
   * Undefined: the agent makes progress.
   */
  findStall(): string | undefined;
  /** Ends the agent as SIGTERM does. Returns immediately. */
  shutdown(): void;
}
