import type { Remedy } from '../../component/probe.js';

/** `note`: works, with a limitation or a hint. `missing`: does not work. */
export type CheckState = 'ok' | 'note' | 'missing';

/** The result of one check. */
export interface Check {
  readonly name: string;
  readonly state: CheckState;
  /** What was found, for people. */
  readonly found: string;
  /** What would improve it. */
  readonly remedies: readonly Remedy[];
}
