import { createPlans } from '../../src/model/plan.js';
import {
  ATTR_CONTAINER_ID,
  ATTR_K8S_POD_UID,
  ATTR_SLURM_JOB_ID,
} from '../../src/model/semantic-conventions.js';
import type { Attributes, Resource } from '../../src/model/series.js';

/** Attributes whose values can be looked up. */
const idAttributes = [ATTR_CONTAINER_ID, ATTR_K8S_POD_UID, ATTR_SLURM_JOB_ID] as const;

export type IdAttribute = (typeof idAttributes)[number];

/** An id whose names are looked up. */
export interface Lookup {
  /** Unique among all ids. */
  readonly key: string;
  readonly attribute: IdAttribute;
  readonly id: string;
  /** Attributes of the first resource that had it. */
  readonly resource: Attributes;
}

const none: readonly Lookup[] = [];

/** The ids of a resource; computed once. */
export const findLookups = createPlans(({ attributes }: Resource): readonly Lookup[] => {
  const lookups = idAttributes.flatMap((attribute) => {
    const id = attributes[attribute];
    if (id === undefined || id === '') return [];
    return [{ key: `${attribute}=${id}`, attribute, id: String(id), resource: attributes }];
  });
  return lookups.length === 0 ? none : lookups;
});

/** Looks up the names of some kinds of ids. */
export interface NameSource {
  /** For messages: `Docker (/var/run/docker.sock)`. */
  readonly title: string;
  /** Resolves when it can answer or is known to be unreachable. Undefined: it can be asked immediately. */
  readonly ready?: Promise<unknown>;
  /** Whether it may know this id. */
  covers(lookup: Lookup): boolean;
  /**
   * Sends no requests until the returned function is called, so that all ids that are looked up in the meantime
   * are requested together. Undefined: requests are not sent for single ids.
   */
  hold?(): () => void;
  /**
   * Looks up an id. Never rejects.
   * @param deadlineMs until when it may retry, on the clock of `performance.now()`
   * @returns attributes, none if the id is unknown; undefined: it could not be asked
   */
  find(lookup: Lookup, deadlineMs: number): Promise<Attributes | undefined>;
  /** Answers pending lookups with undefined, and releases sockets and timers. */
  close(): void;
}

/** The origin of names. */
export interface Names {
  /** Resolves when lookups are possible. */
  start(): void | Promise<void>;
  /**
   * Must be called before ids are looked up, with all of them, and the returned function afterwards: then they are
   * requested together.
   */
  hold(lookups: readonly Lookup[]): () => void;
  /**
   * Looks up an id. Never rejects.
   * @param deadlineMs until when it may retry, on the clock of `performance.now()`
   */
  find(lookup: Lookup, deadlineMs: number): Promise<Answer>;
  close(): void;
}

/** The result of a lookup. */
export interface Answer {
  readonly names: Attributes;
  /** Whether every source that may know the id was asked and answered. */
  readonly isCertain: boolean;
}
