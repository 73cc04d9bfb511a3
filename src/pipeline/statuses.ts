import type { ComponentState, ComponentStatus } from '../component/agent-control.js';
import type { ComponentKind } from '../component/kinds.js';
import type { Log } from '../component/log.js';

type Member = Pick<ComponentStatus, 'kind' | 'id' | 'pipelines'>;
type LogFor = (kind?: ComponentKind, id?: string) => Log;
type LoggedError = NonNullable<ComponentStatus['lastError']>;

/** State that a component provides on request. */
interface Observed {
  readonly isFailing?: boolean;
  readonly intervals?: ReadonlyMap<string, number>;
}

/** Status of one running component. */
export class StatusRecord {
  #member: Member;
  /** The keys of paused components, including while they restart. */
  readonly #pauses: Set<string>;
  /** The last error since it was opened. */
  lastError: LoggedError | undefined;
  /** State that it provides while it runs. */
  observed: Observed = {};
  #state: ComponentState = 'starting';
  #since = new Date();
  /** Time at which it was first seen to fail. */
  #failingSince: Date | undefined;
  #accepted = 0;
  #refused = 0;

  constructor(member: Member, pauses: Set<string>) {
    this.#member = member;
    this.#pauses = pauses;
  }

  /** Equal for the instances of one component. */
  get key(): string {
    return keyOf(this.#member.kind, this.#member.id);
  }

  get state(): ComponentState {
    return this.#state === 'running' && this.observed.isFailing === true ? 'failed' : this.#state;
  }

  /** Whether it should receive tables. */
  get isActive(): boolean {
    return this.#state !== 'paused' && this.#state !== 'stopped';
  }

  /** Whether it was paused, possibly before its restart. */
  get isPaused(): boolean {
    return this.#pauses.has(this.key);
  }

  pause(): void {
    this.#pauses.add(this.key);
    this.enter('paused');
  }

  resume(): void {
    this.#pauses.delete(this.key);
    this.enter('running');
  }

  /** It has started, and keeps an earlier pause. */
  started(): void {
    this.enter(this.isPaused ? 'paused' : 'running');
  }

  enter(state: ComponentState): void {
    if (state === this.#state) return;
    this.#state = state;
    this.#since = new Date();
  }

  get pipelines(): readonly string[] {
    return this.#member.pipelines;
  }

  /** It is now in other pipelines. */
  assign(pipelines: readonly string[]): void {
    this.#member = { ...this.#member, pipelines };
  }

  #noteFailing(): Date | undefined {
    this.#failingSince = this.state === 'failed' ? (this.#failingSince ?? new Date()) : undefined;
    return this.#failingSince;
  }

  /** Points were accepted or refused. */
  count(taken: boolean, points: number): void {
    if (taken) this.#accepted += points;
    else this.#refused += points;
  }

  read(): ComponentStatus {
    const { lastError } = this;
    const { intervals } = this.observed;
    return {
      ...this.#member,
      state: this.state,
      since: this.#noteFailing() ?? this.#since,
      ...(lastError && { lastError }),
      ...(intervals && intervals.size > 0 && { intervalsMs: Object.fromEntries(intervals) }),
      acceptedPoints: this.#accepted,
      refusedPoints: this.#refused,
    };
  }
}

/** Statuses of all components of a service. */
export class Statuses {
  readonly #records = new Set<StatusRecord>();
  readonly #pauses = new Set<string>();

  /** A component is about to start. */
  open(member: Member): StatusRecord {
    const record = new StatusRecord(member, this.#pauses);
    this.#records.add(record);
    return record;
  }

  /** A component was removed. */
  close(record: StatusRecord): void {
    this.#records.delete(record);
  }

  /** Ends pauses of removed components: a later one with the same name is not paused. */
  endPauses(): void {
    const known = new Set([...this.#records].map(({ key }) => key));
    for (const key of this.#pauses) if (!known.has(key)) this.#pauses.delete(key);
  }

  /** In the order in which they were opened. */
  list(): readonly ComponentStatus[] {
    return [...this.#records].map((record) => record.read());
  }

  /** Why a component is not running, or another error that it logged. */
  noteError(kind: ComponentKind, id: string, message: string): void {
    const [key, at] = [keyOf(kind, id), new Date()];
    for (const record of this.#records) if (record.key === key) record.lastError = { message, at };
  }

  /** Logs of components that also record errors and warnings in their status. */
  watchLogs(environment: { readonly logFor: LogFor }): LogFor {
    return (kind, id) => {
      const log = environment.logFor(kind, id);
      if (kind === undefined || id === undefined) return log;
      const noting =
        (level: 'warn' | 'error'): Log['warn'] =>
        (message, fields) => {
          this.noteError(kind, id, message);
          log[level](message, fields);
        };
      return {
        debug: log.debug.bind(log),
        info: log.info.bind(log),
        warn: noting('warn'),
        error: noting('error'),
      };
    };
  }
}

function keyOf(kind: ComponentKind, id: string): string {
  return `${kind} ${id}`;
}
