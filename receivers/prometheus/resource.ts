import { findOrAdd } from '../../src/model/plan.js';
import {
  ATTR_SERVER_ADDRESS,
  ATTR_SERVER_PORT,
  ATTR_SERVICE_INSTANCE_ID,
  ATTR_SERVICE_NAME,
  ATTR_URL_SCHEME,
} from '../../src/model/semantic-conventions.js';
import type { Resource } from '../../src/model/series.js';
import { nameLabel, type Labels } from './series-text.js';

/** The measured instance: the labels `job` and `instance`, and the scheme. */
export interface Instance {
  readonly job: string;
  readonly instance: string;
  readonly scheme: string;
}

/** The resources of a page, each created once. */
export class TargetResources {
  readonly #scheme: string;
  /** The labels of `target_info`, by slot. */
  readonly #infos = new Map<number, Labels>();
  readonly #resources = new Map<string, Resource>();

  constructor(scheme: string) {
    this.#scheme = scheme;
  }

  /** Adds the labels of `target_info`. All resources are created again. */
  addInfo(slot: number, labels: Labels): void {
    this.#infos.set(slot, labels);
    this.#resources.clear();
  }

  /** @returns whether the slot had labels: then all resources are created again */
  removeInfo(slot: number): boolean {
    const isKnown = this.#infos.delete(slot);
    if (isKnown) this.#resources.clear();
    return isKnown;
  }

  find({ job, instance }: Pick<Instance, 'job' | 'instance'>): Resource {
    return findOrAdd(this.#resources, `${job}\n${instance}`, () =>
      createResource({ job, instance, scheme: this.#scheme }, [...this.#infos.values()]),
    );
  }
}

/**
 * The resource of a target, as in the Collector: the job is the service, the instance is its ID, and the labels
 * of `target_info` are attributes with unchanged names.
 */
export function createResource({ job, instance, scheme }: Instance, infos: readonly Labels[]): Resource {
  const [, bracketed, plain = '', port = ''] = /^(?:\[([^\]]*)\]|([^:]*))(?::(\d+))?$/u.exec(instance) ?? [];
  const attributes: Record<string, string> = {
    [ATTR_SERVICE_NAME]: job,
    [ATTR_SERVICE_INSTANCE_ID]: instance,
    [ATTR_SERVER_ADDRESS]: bracketed ?? plain,
    [ATTR_SERVER_PORT]: port,
    [ATTR_URL_SCHEME]: scheme,
  };
  for (const [label, value] of infos.flatMap((labels) => [...labels])) {
    if (![nameLabel, 'job', 'instance'].includes(label)) attributes[label] = value;
  }
  return { attributes: Object.fromEntries(Object.entries(attributes).filter(([, value]) => value !== '')) };
}
