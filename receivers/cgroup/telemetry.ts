import type { ObservableResult } from '@opentelemetry/api';
import type { Context } from '../../src/component/component.js';
import type { CgroupTree, TreeChanges } from '../../src/linux/cgroup/tree.js';

/** The collector's own metrics of cgroups: current, added and removed. Must be closed. */
export class ScanTelemetry {
  readonly #attributes: { readonly receiver: string };
  readonly #births;
  readonly #deaths;
  readonly #stop: () => void;

  constructor({ id, meter }: Pick<Context, 'id' | 'meter'>, tree: CgroupTree) {
    this.#attributes = { receiver: id };
    const count = meter.createObservableGauge('joulemetry.cgroup.count', {
      unit: '{cgroup}',
      description: 'Number of cgroups, each counted once in every hierarchy that contains it',
    });
    const observe = (result: ObservableResult) => result.observe(tree.size, this.#attributes);
    count.addCallback(observe);
    this.#stop = () => count.removeCallback(observe);
    this.#births = meter.createCounter('joulemetry.cgroup.births', {
      unit: '{cgroup}',
      description: 'Cgroups that were created between two scans and still existed at the second one',
    });
    this.#deaths = meter.createCounter('joulemetry.cgroup.deaths', {
      unit: '{cgroup}',
      description: 'Cgroups that were removed',
    });
  }

  count({ born, gone }: TreeChanges): void {
    let births = 0;
    for (const { isBorn } of born) if (isBorn) births++;
    this.#births.add(births, this.#attributes);
    this.#deaths.add(gone.size, this.#attributes);
  }

  close(): void {
    this.#stop();
  }
}
