import { parseDuration } from '../../config/formats.js';
import { UsageError } from '../../errors.js';
import { parseOptions } from '../../parse-options.js';
import { configOptions, type ConfigOptions } from '../config-options.js';

/** What the command line of `calibrate` asks for. */
export interface CalibrateOptions extends ConfigOptions {
  /** `hw.id` or `hw.name` of the meter; undefined: that of the whole host. */
  readonly meter: string | undefined;
  /** Shell command that makes the load; undefined: busy processes. */
  readonly load: string | undefined;
  readonly levels: number;
  readonly phaseMs: number;
  readonly settleMs: number;
  readonly output: string;
}

const options = {
  ...configOptions,
  meter: { type: 'string' },
  load: { type: 'string' },
  levels: { type: 'string' },
  phase: { type: 'string' },
  settle: { type: 'string' },
  output: { type: 'string', short: 'o' },
} as const;

const maxLevels = 32;
const minPhaseMs = 1000;

/** @throws UsageError */
export function parseCalibrateOptions(args: readonly string[]): CalibrateOptions {
  const { values } = parseOptions({ args: [...args], options });
  const { config = [], set = [], meter, load, levels = '4', phase = '30s', settle = '10s' } = values;
  const phaseMs = parseTime('--phase', phase);
  if (phaseMs < minPhaseMs) {
    throw new UsageError(`Cannot use --phase "${phase}": expected at least ${minPhaseMs / 1000} s`);
  }
  return {
    config,
    set,
    meter,
    load,
    levels: parseLevels(levels),
    phaseMs,
    settleMs: parseTime('--settle', settle),
    output: values.output ?? 'calibration.json',
  };
}

function parseLevels(text: string): number {
  const levels = Number(text);
  if (/^\d+$/u.test(text) && levels >= 1 && levels <= maxLevels) return levels;
  throw new UsageError(`Cannot use --levels "${text}": expected a whole number from 1 to ${maxLevels}`);
}

function parseTime(name: string, text: string): number {
  const ms = parseDuration(text);
  if (ms !== undefined) return ms;
  throw new UsageError(`Cannot use ${name} "${text}": expected a duration such as "30s" or "2m"`);
}
