import { EventEmitter, once } from 'node:events';
import type { ReceiverContext } from '../component/component.js';
import type { Consumer } from '../component/consumer.js';
import { describeProbe } from '../component/probe.js';
import type { ServiceConfig } from '../config/service.js';
import { UnavailableError } from '../errors.js';
import { SeriesClaims } from './claims.js';
import { FinishLine, readFullest, stopWithin } from './ending.js';
import type { Environment, Graph } from './graph.js';
import { createReceiverWay, type ReceiverWay } from './receiver-way.js';
import {
  compareRank,
  describeRunning,
  isActive,
  isWhole,
  listNamed,
  listPipelines,
  rankReceiver,
  receiverContextFor,
  startReceiver,
  type ReceiverConfig,
  type RunningReceiver,
} from './running-receiver.js';
import type { Statuses, StatusRecord } from './statuses.js';
import { isSameComponent } from './units.js';

/** How long a receiver that is being restarted may take to stop. */
const stopMs = 2000;

/** A running receiver, with what a reload compares. */
interface Member extends RunningReceiver, ReceiverWay {
  readonly config: ReceiverConfig;
}

/** What receivers are connected to. */
export interface ReceiverParts {
  readonly graph: Pick<Graph, 'routeOf' | 'findExporters' | 'isConsumed' | 'claims'>;
  readonly statuses: Statuses;
  /** Puts the stages between receivers and pipelines in front of a consumer. */
  before(next: Consumer): Consumer;
  /** @throws Error when nothing may start any more */
  checkRunning(): void;
}

/** The receivers of a service. Those that outlast a reload are not touched. */
export class ReceiverSet {
  readonly #environment: Environment;
  readonly #parts: ReceiverParts;
  readonly #members = new Map<string, Member>();
  /** The statuses of disabled receivers. */
  readonly #disabled = new Map<string, StatusRecord>();
  readonly #seriesClaims: SeriesClaims;
  readonly #finishLine: FinishLine;

  constructor(environment: Environment, parts: ReceiverParts) {
    this.#environment = environment;
    this.#parts = parts;
    this.#seriesClaims = new SeriesClaims((id) => environment.logFor('receiver', id));
    this.#finishLine = new FinishLine(() => environment.onFinish?.());
  }

  /** The running ones, in start order. */
  get running(): readonly RunningReceiver[] {
    return [...this.#members.values()];
  }

  /**
   * Probes the receivers that a configuration adds or changes.
   * @throws Error when a required one is not available
   */
  async probeNew(config: ServiceConfig): Promise<void> {
    for (const receiver of listNamed(config)) {
      const { id, factory, settings, keys } = receiver;
      if (keys.start === 'auto' || keys.fallback_for.length > 0 || this.#isKept(receiver)) continue;
      const probe = await factory.probe(settings, receiverContextFor(this.#environment, id));
      if (!probe.available) throw new Error(`Cannot start receiver "${id}": ${describeProbe(probe)}`);
    }
  }

  /** Receivers that do not continue with a configuration. */
  findGone(config: ServiceConfig): readonly RunningReceiver[] {
    const named = new Map(listNamed(config).map((one) => [one.id, one]));
    return [...this.#members.values()].filter(({ id }) => {
      const wanted = named.get(id);
      return wanted === undefined || !this.#isKept(wanted);
    });
  }

  /** Whether every required receiver is running; after a failure, one may not be. */
  isWhole(config: ServiceConfig): boolean {
    return listNamed(config).every(
      ({ id, keys }) => this.#members.has(id) || keys.start === 'auto' || keys.fallback_for.length > 0,
    );
  }

  #isKept(wanted: ReceiverConfig): boolean {
    const member = this.#members.get(wanted.id);
    return member !== undefined && isSameComponent(member.config, wanted);
  }

  /** A receiver was stopped: ends its series and releases its claims. */
  forget({ id }: Pick<RunningReceiver, 'id'>): void {
    const member = this.#members.get(id);
    if (member === undefined) return;
    this.#members.delete(id);
    this.release(id);
    this.#parts.statuses.close(member.status);
    this.#finishLine.forget(id);
    member.endSeries();
  }

  /** What a receiver has claimed is free. */
  release(id: string): void {
    this.#seriesClaims.release(id);
    this.#parts.graph.claims.release(id);
  }

  /**
   * Starts the receivers that a pipeline names and that are not running, in configuration order: first those
   * that are not fallbacks (of these, those that yield come last), then fallbacks for receivers of which none
   * is running. A running receiver is restarted when another one takes its claims, or when a claim that it was
   * refused becomes free.
   * @param onFailure called for each required receiver that cannot start; if it does not throw, the others are
   * started
   * @throws Error when no receiver is left, or what `onFailure` throws
   */
  async start(config: ServiceConfig, onFailure: (error: unknown) => void): Promise<void> {
    const { claims } = this.#parts.graph;
    const start = new EventEmitter();
    const othersStarted = once(start, 'end');
    const receivers = this.#route(config);
    claims.reopen();
    try {
      for (const receiver of receivers.toSorted(compareRank))
        await this.#startOrReplace(receiver, othersStarted).catch(onFailure);
      // The receivers that others yield to have their claims now.
      for (const receiver of receivers)
        if (this.#members.has(receiver.id)) await this.#startOne(receiver, othersStarted).catch(onFailure);
    } finally {
      // Also after a failure: running receivers wait for it.
      claims.complete();
      start.emit('end');
    }
    if (this.#members.size === 0)
      throw new Error(
        'Cannot start: expected a receiver that can run here, found none in any pipeline; "joulemetry doctor" reports what each needs',
      );
    const active = [...this.#members.values()].filter(isActive).map(({ id }) => id);
    // When an operator has stopped all receivers, the agent continues.
    if (active.length > 0) this.#finishLine.expect(active);
  }

  /** Routes the tables of running receivers through the current pipelines. */
  #route(config: ServiceConfig): readonly ReceiverConfig[] {
    const { graph, statuses } = this.#parts;
    const receivers = listNamed(config);
    for (const status of this.#disabled.values()) statuses.close(status);
    this.#disabled.clear();
    this.#seriesClaims.update(
      receivers.map(({ id, factory }) => ({ id, factory, exporters: graph.findExporters(id) })),
    );
    for (const member of this.#members.values()) {
      const { id, entry, named, status } = member;
      if (isActive(member)) entry.target = this.#seriesClaims.entryFor(id, named);
      status.assign(listPipelines(config, id));
    }
    this.#pipelinesOf = (id) => listPipelines(config, id);
    return receivers;
  }

  #pipelinesOf: (id: string) => readonly string[] = () => [];

  /** Starts a receiver; a fallback only if none of the receivers that it replaces is running. */
  async #startOrReplace(receiver: ReceiverConfig, othersStarted: Promise<unknown>): Promise<void> {
    const meter = receiver.keys.fallback_for.find((id) => {
      const member = this.#members.get(id);
      return member && isActive(member) && isWhole(member.component);
    });
    if (meter === undefined) return this.#startOne(receiver, othersStarted);
    await this.#stop(receiver.id);
    const reason = `fallback for "${meter}", which is running`;
    this.#environment.logFor('receiver', receiver.id).info(`Disabled: ${reason}`);
    this.#disable(receiver.id, this.#openStatus(receiver.id), reason);
  }

  /** Starts a receiver, unless it is running and its claims have not changed. */
  async #startOne(receiver: ReceiverConfig, othersStarted: Promise<unknown>): Promise<void> {
    const { id } = receiver;
    const former = this.#members.get(id);
    this.#parts.checkRunning();
    if (former) {
      if (!this.#hasChanged(former)) return;
      this.#environment.logFor('receiver', id).info('Restarting: what it may publish has changed');
      await this.#stop(id);
    }
    const way = this.#createWay(receiver);
    const { status, entry } = way;
    const context = this.#createContext(receiver, way, othersStarted);
    const component = await startReceiver(receiver, context, entry).catch((error: unknown) => {
      this.#parts.statuses.close(status);
      this.release(id);
      throw error;
    });
    if (!(component instanceof UnavailableError)) {
      status.started();
      this.#members.set(id, { ...way, ...describeRunning(receiver, component, way), config: receiver });
      return;
    }
    context.log.info(`Left out: ${component.message}`);
    this.#disable(id, status, component.message);
    this.release(id);
  }

  /** Whether it would start differently now, although its settings are the same. */
  #hasChanged(member: Member): boolean {
    const { id, consumed } = member;
    const { graph } = this.#parts;
    const isAnswerOther = () =>
      [...consumed].some(([metric, answer]) => graph.isConsumed(id, metric) !== answer);
    return isActive(member) && (graph.claims.hasChanged(id) || isAnswerOther());
  }

  #createContext(
    receiver: ReceiverConfig,
    { loops, consumed }: Pick<Member, 'loops' | 'consumed'>,
    othersStarted: Promise<unknown>,
  ): ReceiverContext {
    const { id } = receiver;
    const { graph } = this.#parts;
    return {
      loops,
      ...receiverContextFor(this.#environment, id, graph.claims.claimsFor(id, rankReceiver(receiver))),
      readBacklog: () => readFullest(graph.findExporters(id)),
      isConsumed(metric) {
        const answer = graph.isConsumed(id, metric);
        consumed.set(metric, answer);
        return answer;
      },
      othersStarted,
      finish: (problem) => {
        if (problem !== undefined) this.#environment.onProblem?.(`${id}: ${problem}`);
        this.#finishLine.cross(id);
      },
    };
  }

  #createWay(receiver: ReceiverConfig): ReceiverWay {
    const { graph, before } = this.#parts;
    const { id } = receiver;
    return createReceiverWay(receiver, this.#environment, {
      graph,
      status: this.#openStatus(id),
      before,
      entryFor: (named) => this.#seriesClaims.entryFor(id, named),
    });
  }

  #openStatus(id: string): StatusRecord {
    return this.#parts.statuses.open({ kind: 'receiver', id, pipelines: this.#pipelinesOf(id) });
  }

  #disable(id: string, status: StatusRecord, reason: string): void {
    status.enter('disabled');
    this.#parts.statuses.noteError('receiver', id, reason);
    this.#disabled.set(id, status);
  }

  async #stop(id: string): Promise<void> {
    const member = this.#members.get(id);
    if (member === undefined) return;
    await stopWithin(member, performance.now() + stopMs, this.#environment.logFor());
    this.forget(member);
  }
}
