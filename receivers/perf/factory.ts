import type {
  Component,
  ExpectedSeries,
  ReceiverContext,
  ReceiverFactory,
} from '../../src/component/component.js';
import type { Consumer } from '../../src/component/consumer.js';
import { describeError, UnavailableError } from '../../src/errors.js';
import { describeUncounted } from '../../src/linux/perf/counted-event.js';
import { parseEvents } from '../../src/linux/perf/grammar.js';
import { isClock } from '../../src/linux/perf/meaning.js';
import type { ResolvedEvents } from '../../src/linux/perf/resolve.js';
import { watchGaps } from '../../src/sampling/gaps.js';
import { createSamplingReceiver } from '../../src/sampling/sampling-receiver.js';
import { schema, type Config } from './config.js';
import { hasTargets } from './find-targets.js';
import { counters, createSeries, describeGap, metrics, type Columns } from './metrics.js';
import { createPlan, findEvents } from './plan.js';
import { probe } from './probe.js';
import { createTargets } from './targets.js';

/** The perf receiver: counters of the kernel and of the hardware. */
export const factory: ReceiverFactory<typeof schema> = {
  schema,
  metrics,
  expectedSeries,
  check,
  probe,
  create: (config, context, next) => new PerfReceiver(config, context, next),
};

function check(config: Config): readonly string[] {
  const { events, processes, machine } = config;
  return [
    ...events.flatMap((text, i) => checkEvent(text, `events[${i}]`)),
    ...(events.length === 0 ? ['events: there is none, at least one must be counted'] : []),
    ...processes.pids.flatMap((pid, i) =>
      pid > 0 ? [] : [`processes.pids[${i}]: expected the number of a process, found ${pid}`],
    ),
    ...(machine || hasTargets(config)
      ? []
      : ['machine: is false, and there are neither processes nor cgroups to be counted']),
  ];
}

/** Only for the machine: the processes, and the meaning of the machine's own event names, are unknown. */
function expectedSeries({ machine, events, rename, per_cpu, per_pmu }: Config): readonly ExpectedSeries[] {
  if (!machine) return [];
  const known = parseEvents(events.join(',')).flatMap((group) => group.events);
  return known.flatMap(({ text, source }) => {
    if (source.kind !== 'code') return [];
    const scope = JSON.stringify([rename[text] ?? text, per_cpu, per_pmu]);
    return { metric: (isClock(source) ? counters.s : counters['{event}']).name, scope };
  });
}

function checkEvent(text: string, path: string): readonly string[] {
  try {
    parseEvents(text);
    return [];
  } catch (error) {
    return [`${path}: ${describeError(error)}`];
  }
}

class PerfReceiver implements Component {
  readonly #config: Config;
  readonly #context: ReceiverContext;
  readonly #next: Consumer;
  readonly #noted = new Set<string>();
  #parts: readonly Component[] = [];

  constructor(config: Config, context: ReceiverContext, next: Consumer) {
    this.#config = config;
    this.#context = context;
    this.#next = next;
  }

  async start(): Promise<void> {
    const resolved = findEvents(this.#config);
    const reasons = describeUncounted(resolved.unknown);
    if (resolved.groups.length === 0) throw new UnavailableError(reasons.join('; '));
    reasons.forEach((reason) => this.#note(reason));
    this.#parts = [
      ...(this.#config.machine ? [this.#createMachine(resolved)] : []),
      ...(hasTargets(this.#config) ? [this.#createTargets(resolved)] : []),
    ];
    for (const part of this.#parts) await part.start();
  }

  async flush(): Promise<void> {
    await Promise.all(this.#parts.map(async (part) => part.flush?.()));
  }

  async shutdown(): Promise<void> {
    const parts = this.#parts;
    this.#parts = [];
    for (const part of parts.toReversed()) await part.shutdown();
  }

  #createMachine(resolved: ResolvedEvents): Component {
    let error: string | undefined;
    return createSamplingReceiver({
      context: this.#context,
      next: watchGaps(this.#context, this.#next, { describe: (series) => describeGap(series, error) }),
      module: new URL('./sampler.js', import.meta.url),
      options: createPlan(this.#config, resolved, { kind: 'machine' }),
      intervalMs: this.#config.sampling_interval,
      flushMs: this.#config.flush_interval,
      createSeries: (columns: Columns, start) => {
        columns.notes.forEach((note) => this.#note(note));
        error = columns.error;
        return createSeries(columns, this.#context.host, start);
      },
    });
  }

  #createTargets(resolved: ResolvedEvents): Component {
    return createTargets({
      config: this.#config,
      context: this.#context,
      next: this.#next,
      common: createPlan(this.#config, resolved, { kind: 'machine' }),
      note: (note) => this.#note(note),
    });
  }

  /** A note about one process, cgroup and CPU applies to many. */
  #note(note: string): void {
    const kind = note.replaceAll(/(?<=process|cpu) \d+(?: \(.*?\))?|(?<=cgroup) \/\S*/gu, '');
    if (this.#noted.has(kind)) return;
    this.#noted.add(kind);
    this.#context.log.warn(note);
  }
}
