import { createPlans } from '../../src/model/plan.js';
import {
  ATTR_CONTAINER_ID,
  ATTR_K8S_POD_UID,
  ATTR_SLURM_JOB_ID,
} from '../../src/model/semantic-conventions.js';
import type { Attributes, Resource } from '../../src/model/series.js';

/** Attributes whose values sources have names for. */
const idAttributes = [ATTR_CONTAINER_ID, ATTR_K8S_POD_UID, ATTR_SLURM_JOB_ID] as const;

export type IdAttribute = (typeof idAttributes)[number];

/** An id whose names are looked up. */
export interface Lookup {
  /** Differs from that of every other id. */
  readonly key: string;
  readonly attribute: IdAttribute;
  readonly id: string;
  /** Of the first resource that had it. */
  readonly resource: Attributes;
}

const none: readonly Lookup[] = [];

/** The ids of a resource; looked at once. */
export const findLookups = createPlans(({ attributes }: Resource): readonly Lookup[] => {
  const lookups = idAttributes.flatMap((attribute) => {
    const id = attributes[attribute];
    if (id === undefined || id === '') return [];
    return [{ key: `${attribute}=${id}`, attribute, id: String(id), resource: attributes }];
  });
  return lookups.length === 0 ? none : lookups;
});

/** Knows the names of some ids. */
export interface NameSource {
  /** For messages: `Docker (/var/run/docker.sock)`. */
  readonly title: string;
  /** Fulfilled when it can answer or cannot be reached. Undefined: it can be asked from the start. */
  readonly ready?: Promise<unknown>;
  /** Whether it may know this id. */
  covers(lookup: Lookup): boolean;
  /**
   * Looks up an id. Never rejects.
   * @param deadlineMs until when it may ask again, on the clock of `performance.now()`
   * @returns attributes, none where it knows no such id; undefined: it could not be asked
   */
  find(lookup: Lookup, deadlineMs: number): Promise<Attributes | undefined>;
  /** Answers what is still asked with undefined, and releases sockets and timers. */
  close(): void;
}

/** Where names come from. */
export interface Names {
  /** Fulfilled when it can be asked. */
  start(): void | Promise<void>;
  /**
   * Looks up ids.
   * @param deadlineMs until when it may ask again, on the clock of `performance.now()`
   * @returns an answer to each, in this order. None of them rejects.
   */
  find(lookups: readonly Lookup[], deadlineMs: number): readonly Promise<Answer>[];
  close(): void;
}

/** What is known of an id. */
export interface Answer {
  readonly names: Attributes;
  /** Whether every source that may know the id was asked and answered. */
  readonly isCertain: boolean;
}
