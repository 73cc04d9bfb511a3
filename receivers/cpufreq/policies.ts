import { findNames, findText } from '../../src/linux/sysfs.js';
import { ATTR_HW_ID, ATTR_HW_NAME, ATTR_HW_TYPE } from '../../src/model/semantic-conventions.js';
import type { Attributes } from '../../src/model/series.js';
import type { Config } from './config.js';

/** CPUs that share a frequency. */
export interface Policy {
  readonly folder: string;
  /** `policy0`. */
  readonly id: string;
  readonly attributes: Attributes;
}

/** The current policies. A policy comes and goes with its CPUs. */
export class Policies {
  /** For messages. */
  readonly name: string;
  readonly #root: string;
  readonly #limit: number;
  #version = '';
  #all: readonly Policy[] = [];

  constructor({ sysfs, policy_limit: limit }: Config) {
    this.#root = `${sysfs}/devices/system/cpu/cpufreq`;
    this.name = `policies of ${this.#root}`;
    this.#limit = limit === 0 ? Infinity : limit;
  }

  /** Updates them. @returns a text that changes when a policy comes or goes */
  follow(): string {
    const ids = findNames(this.#root).filter((name) => /^policy\d+$/u.test(name));
    const version = ids.join();
    if (version === this.#version) return version;
    this.#version = version;
    this.#all = ids.toSorted((a, b) => numberOf(a) - numberOf(b)).map((id) => this.#describe(id));
    return version;
  }

  /** All of them. */
  get all(): readonly Policy[] {
    return this.#all;
  }

  /** Those with series of their own. */
  get shown(): readonly Policy[] {
    return this.#all.slice(0, this.#limit);
  }

  #describe(id: string): Policy {
    const folder = `${this.#root}/${id}`;
    const cpus = findText(`${folder}/related_cpus`) ?? id.slice('policy'.length);
    const attributes = {
      [ATTR_HW_TYPE]: 'cpu',
      [ATTR_HW_ID]: `cpufreq-${id}`,
      [ATTR_HW_NAME]: `CPU ${cpus.split(' ').join(', ')}`,
    };
    return { folder, id, attributes };
  }
}

function numberOf(id: string): number {
  return Number(id.slice('policy'.length));
}
