import type { ComponentKind } from './kinds.js';

/**
 * What a component is doing. failed: it could not start, or cannot work at present; disabled: a receiver that is left out,
 * because its source is missing or because the receiver that it replaces is running.
 */
export type ComponentState = 'starting' | 'running' | 'paused' | 'failed' | 'stopped' | 'disabled';

/** One running instance of a configured component: a processor has one in each pipeline. */
export interface ComponentStatus {
  readonly kind: ComponentKind;
  /** As in the configuration: `rapl` or `rapl/second`. */
  readonly id: string;
  /** The pipelines that it is in; none for extensions. */
  readonly pipelines: readonly string[];
  readonly state: ComponentState;
  /** When it entered this state. */
  readonly since: Date;
  /** The last error or warning that it logged, or why it is not running. */
  readonly lastError?: { readonly message: string; readonly at: Date };
  /** Of receivers that read at intervals: the intervals in milliseconds, by the settings that they come from. */
  readonly intervalsMs?: Readonly<Record<string, number>>;
  /** Points that passed since it was started: those that a receiver passed on, or that a consumer took. */
  readonly acceptedPoints: number;
  /** Points that were refused: those of a receiver by the pipelines, or those that a consumer did not take. */
  readonly refusedPoints: number;
}

/** What became of settings of the agent itself. */
export interface SettingChanges {
  /** Those that have changed: `service.telemetry.logs.level`. */
  readonly settings: readonly string[];
  /** Why others stay as they were, each with the name of the setting. */
  readonly kept: readonly string[];
}

/** What became of a request to read the configuration again. Components are named as in messages: `receiver "rapl"`. */
export interface ReloadResult extends Partial<SettingChanges> {
  /**
   * - unchanged: the configuration is the one that runs;
   * - changed: the agent runs with the new configuration;
   * - refused: the new configuration is invalid, or cannot be read; nothing has changed;
   * - rolled_back: a component could not start with the new configuration; the agent runs with the old one.
   */
  readonly outcome: 'unchanged' | 'changed' | 'refused' | 'rolled_back';
  readonly started: readonly string[];
  readonly stopped: readonly string[];
  /** Stopped, and started with other settings. */
  readonly restarted: readonly string[];
  /** Why it was refused or rolled back. */
  readonly problem?: string;
}

/**
 * The running agent, as extensions control it. A component is named by its kind and id, `exporter:file`; a receiver also by
 * its id alone. A processor's name means all of its instances. Whatever cannot be done rejects with an error in
 * the words of a user.
 */
export interface AgentControl {
  /** Reads the configuration again and applies what has changed. Never rejects. */
  reload(): Promise<ReloadResult>;
  /** Whether its shutdown has begun. */
  readonly isStopping: boolean;
  /** Every component, in the order of its start. */
  listComponents(): readonly ComponentStatus[];
  /**
   * Makes a receiver take no reading until it is resumed: its series go on then, with a gap. Tables pass a processor by, and
   * an exporter drops them. The pause goes on when a reload starts the component again.
   */
  pause(name: string): Promise<void>;
  /** Ends a pause. */
  resume(name: string): Promise<void>;
  /**
   * Makes a receiver read at another interval, until it is started again.
   * @param setting which of its intervals, where it has two: `collection_interval`
   */
  setInterval(name: string, intervalMs: number, setting?: string): Promise<void>;
  /** Makes a receiver take a reading now and pass on what it holds. */
  trigger(name: string): Promise<void>;
  /**
   * Shuts a receiver or an exporter down for good: it starts again with the agent, or with other settings. What a receiver had
   * claimed goes to those that wait for it.
   */
  stop(name: string): Promise<void>;
  /** Makes every receiver take a reading now, and processors and exporters pass on what they hold. */
  flush(): Promise<void>;
  /**
   * Why a watchdog should restart the agent: of a pipeline, no receiver reads that should. Undefined: it makes progress.
   */
  findStall(): string | undefined;
  /** Ends the agent as after SIGTERM. Returns at once. */
  shutdown(): void;
}
