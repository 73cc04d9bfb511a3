import type { Component, ReceiverContext } from '../component/component.js';
import type { Consumer } from '../component/consumer.js';
import { claimEnergy } from '../component/energy-claim.js';
import type { Probe } from '../component/probe.js';
import type { ConfigOf, ListSetting, Schema } from '../component/schema.js';
import { describeError } from '../errors.js';
import { ATTR_HW_ID, ATTR_HW_NAME, ATTR_HW_TYPE } from '../model/semantic-conventions.js';
import type { Table } from '../model/table.js';
import type { MeterReading } from './meter-reading.js';
import { MeterTable } from './meter-table.js';
import { createPollingReceiver } from './polling-receiver.js';
import type { PollingTarget } from './polling-target.js';
import { RestartDetector } from './restart-detector.js';
import { intervalSetting } from './scraping-receiver.js';

/** The answer of a network meter. */
export interface MeterAnswer {
  readonly readings: readonly MeterReading[];
  /** Uptime of the meter in seconds; undefined: not reported. */
  readonly uptime?: number | undefined;
  /** Why parts of it could not be read, each a cause for the log; their readings are gaps. */
  readonly problems?: readonly string[];
}

/** A meter that is read over the network. */
export interface RemoteMeter {
  /** For messages, unique in its receiver: an address without passwords. */
  readonly name: string;
  /**
   * Reads everything that it measures.
   * @throws Error whose message becomes a part of `Cannot read <name>: ...`
   */
  ask(signal: AbortSignal): Promise<MeterAnswer>;
  close?(): void | Promise<void>;
}

/** Settings per meter of a receiver, besides its address. */
export const meterItemSettings = {
  measures: {
    doc: 'What the meter measures. `host`: this machine and nothing else; its energy becomes `hw.host.energy`. `other`: anything else.',
    format: ['other', 'host'],
    default: 'other',
  },
  channels: {
    doc: 'Channels to read if the meter has several, given by the last part of their `hw.id`. Empty: all.',
    format: 'string_list',
    default: [],
  },
} as const satisfies Schema;

/** How often meters are read. */
export const meterIntervalSetting = {
  ...intervalSetting,
  default: '5s',
  min: 100,
  max: 3_600_000,
} as const;

export type MeterItem = ConfigOf<typeof meterItemSettings>;

/** The parts of a receiver of meters. */
export interface MeterReceiverOptions<Item extends MeterItem> {
  readonly intervalMs: number;
  /** Time limit of one reading; default 10 s. */
  readonly timeoutMs?: number;
  readonly context: ReceiverContext;
  readonly next: Consumer;
  readonly items: readonly Item[];
  /** `energy.interface`: how the meters are read. */
  readonly interface: string;
  /** @throws Error, with a message for users, if it can never be read */
  open(item: Item): RemoteMeter | Promise<RemoteMeter>;
}

/** A receiver that reads meters over the network, independently of each other. */
export function createMeterReceiver<Item extends MeterItem>(options: MeterReceiverOptions<Item>): Component {
  const { intervalMs, timeoutMs = defaultTimeoutMs, context, next, items, open } = options;
  return createPollingReceiver({
    intervalMs,
    context,
    next,
    timeoutMs,
    async open(targets) {
      for (const item of items) targets.add(new MeterTarget(await open(item), item, options));
    },
  });
}

/** Enough for the first reading of a large device, whose parts are discovered one after the other. */
const defaultTimeoutMs = 10_000;

/** Power is integrated over one failed reading; after a second one, the gap is too long. */
const maxGapIntervals = 3.5;

/** Validates the meters of a configuration together. */
export function checkMeters(endpoints: readonly Pick<MeterItem, 'measures'>[]): string[] {
  if (endpoints.length === 0) return ['endpoints: expected at least one, found none'];
  const hosts = endpoints.filter(({ measures }) => measures === 'host').length;
  return hosts > 1 ? [`endpoints: expected at most one with measures: host, found ${hosts}`] : [];
}

/** Reads every meter once. */
export async function probeMeters<Item extends MeterItem>(
  items: readonly Item[],
  open: MeterReceiverOptions<Item>['open'],
  remedy: string,
): Promise<Probe> {
  const results = await Promise.all(items.map((item) => probeMeter(open, item)));
  const found = results.map((one) => one.found).join('; ');
  const missing = results.flatMap(({ problem }) => problem ?? []);
  return {
    // A meter that does not answer now may do so later.
    available: true,
    found,
    remedies: missing.map((problem) => ({ missing: problem, command: remedy })),
  };
}

const probeMs = 5000;

async function probeMeter<Item extends MeterItem>(open: MeterReceiverOptions<Item>['open'], item: Item) {
  let meter: RemoteMeter | undefined;
  try {
    meter = await open(item);
    const { readings } = await meter.ask(AbortSignal.timeout(probeMs));
    return { found: `${meter.name}: ${readings.map(({ id }) => id).join(', ') || 'measures nothing'}` };
  } catch (error) {
    const name = meter?.name ?? 'a meter';
    return { found: `${name} does not answer`, problem: `${name}: ${describeError(error)}` };
  } finally {
    await meter?.close?.();
  }
}

/** @throws Error after the row, if there are problems */
function* giveAll(row: Table, problems: readonly string[]): Generator<Table> {
  yield row;
  if (problems.length > 0) throw new Error(problems.join('; '));
}

/** The `hw.id` of the host if a meter measures it. */
const hostId = 'host';

class MeterTarget<Item extends MeterItem> implements PollingTarget {
  readonly name: string;
  readonly #meter: RemoteMeter;
  readonly #channels: readonly string[];
  readonly #clock: ReceiverContext['clock'];
  readonly #table: MeterTable;
  readonly #restarts = new RestartDetector();
  #intervalMs: number;

  constructor(meter: RemoteMeter, item: Item, options: MeterReceiverOptions<Item>) {
    const { context, interface: energyInterface } = options;
    this.name = meter.name;
    this.#meter = meter;
    this.#channels = item.channels;
    this.#clock = context.clock;
    const isHost = item.measures === 'host' && claimHost(meter.name, context, hostId);
    const host = isHost
      ? { [ATTR_HW_TYPE]: 'host', [ATTR_HW_ID]: hostId, [ATTR_HW_NAME]: meter.name }
      : undefined;
    this.#intervalMs = options.intervalMs;
    const maxGapMs = () => maxGapIntervals * this.#intervalMs;
    this.#table = new MeterTable({ resource: context.host, interface: energyInterface, host, maxGapMs });
  }

  async read(signal: AbortSignal): Promise<Iterable<Table>> {
    const { readings, uptime, problems = [] } = await this.#meter.ask(signal);
    const now = { at: this.#clock.wallNs(), monotonicNs: this.#clock.monotonicNs() };
    const isRestarted = this.#restarts.hasRestarted(uptime, now.monotonicNs);
    const chosen = readings.filter(({ id }) => this.#isChosen(id));
    if (chosen.length === 0) throw new Error(this.#describeNothing(readings));
    return giveAll(this.#table.row(now, chosen, isRestarted), problems);
  }

  setInterval(intervalMs: number): void {
    this.#intervalMs = intervalMs;
  }

  restart(at: bigint): readonly Table[] {
    return this.#table.restart(at);
  }

  async close(): Promise<void> {
    await this.#meter.close?.();
  }

  #isChosen(id: string): boolean {
    return (
      this.#channels.length === 0 ||
      this.#channels.some((channel) => id === channel || id.endsWith(`/${channel}`))
    );
  }

  #describeNothing(readings: readonly MeterReading[]): string {
    if (readings.length === 0)
      return 'expected a device that measures power or energy, found one that does not';
    const found = readings.map(({ id }) => id).join(', ');
    return `expected one of the channels ${this.#channels.join(', ')}, found ${found}`;
  }
}

/**
 * Claims the energy of the host, which has one publisher.
 * @param name of the meter
 * @param id the `hw.id` of the host's energy; undefined: unknown so far
 * @returns false if another receiver publishes it, which is logged
 */
export function claimHost(
  name: string,
  { claims, log }: Pick<ReceiverContext, 'claims' | 'log'>,
  id?: string,
): boolean {
  const { owner } = claimEnergy(claims, 'host', id);
  if (owner === undefined) return true;
  log.info(`Leaving out hw.host.energy of ${name}: receiver "${owner}" publishes it`);
  return false;
}

/** The setting of a list of meters. @param where the settings of a meter's address */
export function listMeters<S extends Schema>(where: S) {
  return {
    doc: 'Meters to read. One that does not answer does not delay the others.',
    format: 'list',
    items: { ...where, ...meterItemSettings },
    default: [],
  } as const satisfies ListSetting;
}
