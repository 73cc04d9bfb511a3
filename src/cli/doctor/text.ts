import { escapeControls } from '../../component/escape-controls.js';
import type { Check } from './check.js';
import type { EnergySource, ReceiverCheck } from './receiver-checks.js';

/** What `doctor` found. */
export interface Diagnosis {
  readonly version: string;
  readonly energy: EnergySource;
  readonly receivers: readonly ReceiverCheck[];
  readonly system: readonly Check[];
}

const width = 110;

const verdicts: Readonly<Record<EnergySource, string>> = {
  measured: 'Energy can be measured on this machine.',
  estimated: 'Energy cannot be measured on this machine, only estimated from CPU usage.',
  none: 'Energy can be neither measured nor estimated on this machine.',
};

/** The diagnosis for people. */
export function describeDiagnosis({ version, energy, receivers, system }: Diagnosis): string {
  const nameWidth = Math.max(...[...receivers, ...system].map(({ name }) => name.length));
  const describe = (checks: readonly Check[]) => checks.flatMap((check) => describeCheck(check, nameWidth));
  const lines = [
    `joulemetry ${version}`,
    '',
    'Receivers',
    ...describe(receivers),
    '',
    'System',
    ...describe(system),
    '',
    verdicts[energy],
  ];
  return `${lines.join('\n')}\n`;
}

function describeCheck({ name, state, found: text, remedies }: Check, nameWidth: number): readonly string[] {
  const found = escapeControls(text);
  const head = `  ${state.padEnd('missing'.length)}  ${name.padEnd(nameWidth)}  `;
  const indent = ' '.repeat(head.length);
  const columns = width - head.length;
  // What is too long for a line has one for each of its parts.
  const parts = found.length <= columns ? [found] : found.split(/(?<=;) /u);
  const [first = '', ...rest] = parts.flatMap((part) => wrap(part, columns));
  return [
    head + first,
    ...rest.map((line) => indent + line),
    ...remedies.flatMap(({ missing, command }) => [
      `${indent}- ${escapeControls(missing)}:`,
      `${indent}    ${escapeControls(command)}`,
    ]),
  ];
}

/** Breaks a text between words. Commands are not broken, so that they can be copied. */
function wrap(text: string, columns: number): readonly string[] {
  const lines: string[] = [];
  for (const word of text.split(' ')) {
    const last = lines.at(-1);
    if (last !== undefined && last.length + 1 + word.length <= columns)
      lines[lines.length - 1] = `${last} ${word}`;
    else lines.push(word);
  }
  return lines;
}
