import type { ComponentState, ComponentStatus } from '../component/agent-control.js';
import type { ComponentKind } from '../component/kinds.js';
import type { Log } from '../component/log.js';

type Member = Pick<ComponentStatus, 'kind' | 'id' | 'pipelines'>;
type LogFor = (kind?: ComponentKind, id?: string) => Log;
type LoggedError = NonNullable<ComponentStatus['lastError']>;

/** What a component reports of itself, whenever it is asked. */
interface Observed {
  readonly isFailing?: boolean;
  readonly intervals?: ReadonlyMap<string, number>;
}

/** What is known of one running component. */
export class StatusRecord {
  #member: Member;
  readonly #findError: () => LoggedError | undefined;
  /** What it reports of itself while it runs. */
  observed: Observed = {};
  #state: ComponentState = 'starting';
  #since = new Date();
  /** When it was first seen failing. */
  #failingSince: Date | undefined;
  #accepted = 0;
  #refused = 0;

  constructor(member: Member, findError: () => LoggedError | undefined) {
    this.#member = member;
    this.#findError = findError;
  }

  get state(): ComponentState {
    return this.#state === 'running' && this.observed.isFailing === true ? 'failed' : this.#state;
  }

  /** Whether tables are to reach it. */
  get isActive(): boolean {
    return this.#state !== 'paused' && this.#state !== 'stopped';
  }

  enter(state: ComponentState): void {
    if (state === this.#state) return;
    this.#state = state;
    this.#since = new Date();
  }

  get pipelines(): readonly string[] {
    return this.#member.pipelines;
  }

  /** It is in other pipelines now. */
  assign(pipelines: readonly string[]): void {
    this.#member = { ...this.#member, pipelines };
  }

  #noteFailing(): Date | undefined {
    this.#failingSince = this.state === 'failed' ? (this.#failingSince ?? new Date()) : undefined;
    return this.#failingSince;
  }

  /** Points passed, or were refused. */
  count(taken: boolean, points: number): void {
    if (taken) this.#accepted += points;
    else this.#refused += points;
  }

  read(): ComponentStatus {
    const lastError = this.#findError();
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

/** What is known of every component of a service. */
export class Statuses {
  readonly #records = new Set<StatusRecord>();
  readonly #errors = new Map<string, LoggedError>();

  /** A component is about to start. */
  open(member: Member): StatusRecord {
    const key = keyOf(member.kind, member.id);
    const record = new StatusRecord(member, () => this.#errors.get(key));
    this.#records.add(record);
    return record;
  }

  /** A component is there no longer. */
  close(record: StatusRecord): void {
    this.#records.delete(record);
  }

  /** In the order in which they were opened. */
  list(): readonly ComponentStatus[] {
    return [...this.#records].map((record) => record.read());
  }

  /** Why a component is not running. */
  noteError(kind: ComponentKind, id: string, message: string): void {
    this.#errors.set(keyOf(kind, id), { message, at: new Date() });
  }

  /** Logs of components, whose errors and warnings are noted as well. */
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
