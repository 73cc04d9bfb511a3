import { createPlans, findOrAdd } from '../../src/model/plan.js';
import {
  ATTR_HOST_NAME,
  ATTR_SERVICE_INSTANCE_ID,
  ATTR_SERVICE_NAME,
  ATTR_SERVICE_NAMESPACE,
} from '../../src/model/semantic-conventions.js';
import type { Attributes, Resource } from '../../src/model/series.js';
import { HostResource } from '../../src/prometheus/labels.js';

/** The labels that a scrape would give its target. */
export interface TargetLabels {
  readonly job: string;
  readonly instance: string;
}

/** The source of series: this machine, another one, or a service. */
export interface Target extends TargetLabels {
  readonly resource: HostResource;
  /** Number of its live series. */
  uses: number;
}

export interface TargetOptions {
  /** What receivers report about the machine, including its name. */
  readonly host: Attributes;
  /** Attributes of everything, from the collector's environment: the name of its own service. */
  readonly common: Attributes;
  readonly identityLabels: readonly string[];
}

/**
 * The targets of live series, by OpenTelemetry's rules for Prometheus: `job` is the service, `instance` its
 * instance.
 */
export class Targets {
  readonly #options: TargetOptions;
  readonly #targets = new Map<string, Target>();
  readonly #own: Target;

  constructor(options: TargetOptions) {
    this.#options = options;
    this.#own = this.#targetOf(options.host, this.#createLabels(options.host));
  }

  /** The target of a resource, for an additional series. */
  take(resource: Resource): Target {
    // A target without series is removed; its resource may have others later.
    const target = this.#targetOf(resource.attributes, this.#labelsOf(resource));
    target.uses += 1;
    target.resource.consider(resource);
    return target;
  }

  /** A series of the target has ended. */
  release(target: Target): void {
    target.uses -= 1;
    if (target.uses === 0 && target !== this.#own) this.#targets.delete(keyOf(target));
  }

  list(): readonly Target[] {
    return [...this.#targets.values()];
  }

  readonly #labelsOf = createPlans(({ attributes }: Resource) => this.#createLabels(attributes));

  #createLabels(attributes: Attributes): TargetLabels {
    const { host, common } = this.#options;
    const all = { ...common, ...attributes };
    return { job: jobOf(all), instance: instanceOf({ ...host, ...all }) };
  }

  #targetOf(attributes: Attributes, labels: TargetLabels): Target {
    const { host, common, identityLabels } = this.#options;
    return findOrAdd(this.#targets, keyOf(labels), () => {
      const isOwn = attributes === host;
      const named = isOwn ? host : {};
      return { ...labels, resource: new HostResource(named, isOwn ? identityLabels : [], common), uses: 0 };
    });
  }
}

/** The attributes of a target other than `job` and `instance`. */
export function describeTarget({ resource }: Target): Attributes {
  const {
    [ATTR_SERVICE_NAME]: _name,
    [ATTR_SERVICE_NAMESPACE]: _namespace,
    [ATTR_SERVICE_INSTANCE_ID]: _instance,
    ...rest
  } = resource.attributes;
  return rest;
}

function keyOf({ job, instance }: TargetLabels): string {
  return `${job}\n${instance}`;
}

function jobOf(attributes: Attributes): string {
  const { [ATTR_SERVICE_NAME]: name = '', [ATTR_SERVICE_NAMESPACE]: namespace } = attributes;
  return namespace === undefined ? `${name}` : `${namespace}/${name}`;
}

function instanceOf(attributes: Attributes): string {
  return `${attributes[ATTR_SERVICE_INSTANCE_ID] ?? attributes[ATTR_HOST_NAME] ?? ''}`;
}
