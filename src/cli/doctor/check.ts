import type { Remedy } from '../../component/probe.js';

/** How the matter stands: well, worth knowing, or in the way of measuring. */
export type CheckState = 'ok' | 'note' | 'missing';

/** One thing that `doctor` has looked at. */
export interface Check {
  readonly name: string;
  readonly state: CheckState;
  /** What was found, for people. */
  readonly found: string;
  /** What would make it better. */
  readonly remedies: readonly Remedy[];
}
