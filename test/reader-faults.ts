import { readdirSync, readFileSync } from 'node:fs';
import { repositoryRoot } from './component-folders.js';

/** Faults in the input of a receiver. */
export const faults = [
  'truncated',
  'empty',
  'garbage',
  'vanishing',
  'slow',
  'no permission',
  'reset',
] as const;

export type FaultName = (typeof faults)[number];

/**
 * A part of a test title, or why there is no test: `never` precedes the reason why the fault cannot occur,
 * `missing` describes the missing test.
 */
type Evidence = string;

const fromMemory = 'never: the kernel answers from memory';
const isAFile = (what: string): Record<'truncated' | 'empty' | 'garbage', Evidence> =>
  same(`testFileFaults(${what}`, ['truncated', 'empty', 'garbage']);
const isAnOpenedFile = (what: string): Record<Exclude<FaultName, 'slow' | 'reset'>, Evidence> =>
  same(`testFileFaults(${what}`, ['truncated', 'empty', 'garbage', 'vanishing', 'no permission']);
const isAServer = (what: string): Record<FaultName, Evidence> => same(`testServerFaults('${what}'`, faults);

/** For each receiver and fault, a part of the title of the test that covers it; that test must exist. */
export const readerFaults: Readonly<Record<string, Readonly<Record<FaultName, Evidence>>>> = {
  amd_gpu: {
    ...isAnOpenedFile("'amd_gpu sensors of power'"),
    slow: "testHangingCards('amd_gpu cards'",
    reset: 'amd_gpu counts on after the reset of an accumulator',
  },
  battery: {
    ...isAnOpenedFile("'battery supplies'"),
    slow: 'battery has a gap where a supply has not answered in time, and not what it read before',
    reset: 'never: a battery has no counter; the receiver computes energy from its power',
  },
  cgroup: {
    ...isAFile('`cgroup ${what}`'),
    vanishing: 'cgroup ends the series of a cgroup that is removed, and goes on with the others',
    slow: fromMemory,
    'no permission': 'never: every user may read files of cgroupfs',
    reset: 'cgroup counts on after a reset of the CPU times of a cgroup',
  },
  cpufreq: {
    ...isAnOpenedFile("'cpufreq frequencies'"),
    slow: fromMemory,
    reset: 'cpufreq counts on after a reset of its statistics',
  },
  cpuidle: {
    ...isAnOpenedFile("'cpuidle states'"),
    slow: fromMemory,
    reset: 'cpuidle counts on after a reset of its counters',
  },
  estimate: {
    ...isAnOpenedFile("'estimate'"),
    slow: fromMemory,
    reset: 'estimate counts on after a reset of the CPU times',
  },
  host: {
    ...isAnOpenedFile('`host ${what}`'),
    slow: fromMemory,
    reset: 'host counts on after a reset of ${what}',
  },
  hwmon: {
    ...isAFile("'hwmon sensors'"),
    vanishing: 'hwmon follows chips that are removed and added, and sensors that are switched on',
    slow: 'hwmon has a gap where a chip has not answered in time, and reads the other chips',
    'no permission': 'hwmon names sensors that may not be opened, once, and reads the others',
    reset: 'hwmon counts on after the reset of an energy counter',
  },
  intel_gpu: {
    ...isAnOpenedFile("'intel_gpu energy counters'"),
    slow: "testHangingCards('intel_gpu cards'",
    reset: 'intel_gpu counts on after the reset of an energy counter',
  },
  ipmi: {
    ...same('ipmi withstands answers of DCMI with the fault "${name}"', [
      'truncated',
      'empty',
      'garbage',
      'slow',
    ]),
    vanishing: 'ipmi withstands a driver that is unloaded',
    'no permission': 'ipmi withstands a device that may not be opened again',
    reset: 'never: a BMC reports power, from which the receiver computes energy',
  },
  kwollect: {
    ...same('kwollect logs a site with the fault "${name}"', [
      'truncated',
      'empty',
      'garbage',
      'vanishing',
      'slow',
      'no permission',
    ]),
    reset: 'never: a site reports power, from which the receiver computes energy',
  },
  nvml: {
    truncated: 'never: the library returns numbers, not text',
    empty: 'nvml withstands a counter of energy with the fault "${name}"',
    garbage: 'nvml withstands garbage in place of the use of a GPU',
    vanishing: 'nvml counts and logs a GPU that is lost',
    slow: 'nvml withstands a driver that does not answer',
    'no permission': 'nvml withstands a counter of energy with the fault "${name}"',
    reset: 'nvml counts on after the reset of a counter of energy',
  },
  otlp: {
    ...same('otlp withstands a sender with the fault "${name}"', ['truncated', 'garbage']),
    empty: 'never: an empty request is valid, and has no metrics',
    vanishing: 'otlp withstands senders that are gone within a request',
    slow: 'the receiver gives up requests that do not go on, counts and logs them once, and takes others meanwhile',
    'no permission':
      'serveGrpc asks for the password of a web configuration, and counts and logs calls without it',
    reset: 'otlp continues the counter of a sender that was reset',
  },
  perf: {
    ...same('perf has gaps where counters ${name} are ${fault}', ['truncated', 'empty', 'no permission']),
    garbage: 'never: the kernel returns numbers, not text',
    vanishing:
      'factory counts cgroups from when they are made to when they are removed, with their last values',
    slow: fromMemory,
    reset:
      'never: a counter of perf_event starts when the receiver opens it, and no other process can reset it',
  },
  powersensor: {
    ...same('powersensor withstands a stream with the fault "${name}"', [
      'truncated',
      'empty',
      'garbage',
      'slow',
    ]),
    vanishing: 'powersensor withstands a device that is unplugged while it streams',
    'no permission': 'powersensor withstands a device that may not be opened again',
    reset: 'powersensor begins another energy when samples were lost, counts that and logs it once',
  },
  process: {
    ...same("'process states'", ['truncated', 'empty', 'garbage']),
    vanishing: 'process ends the series of a process that ends, and goes on with the others',
    slow: fromMemory,
    'no permission': 'ProcessScraper says once that processes may not be read, and tries them again later',
    reset: 'process counts on after a reset of all times',
  },
  prometheus: isAServer('prometheus targets'),
  quarch: {
    ...same('quarch withstands a module with the fault "${name}"', [
      'truncated',
      'empty',
      'garbage',
      'reset',
    ]),
    vanishing: 'quarch withstands a module that is switched off',
    slow: 'quarch withstands a module that does not answer',
    'no permission': 'never: a module has no access control',
  },
  rapl: {
    ...isAFile("'rapl zones'"),
    vanishing: 'rapl has a gap for a zone that vanishes, counts it, logs it once, and reads the others',
    slow: 'never: the kernel answers from a register',
    'no permission': 'rapl leaves a zone out that may not be read, logs it once, and reads the others',
    reset: 'rapl counts on after the reset of a zone, which it counts and logs once',
  },
  redfish: isAServer('redfish BMCs'),
  replay: {
    ...same('replay withstands a file with the fault "${name}"', [
      'truncated',
      'garbage',
      'vanishing',
      'no permission',
    ]),
    empty: 'replay takes an empty file for a recording without points',
    slow: 'a file on a disk that answers late is read whole',
    reset: 'a counter that starts again without an end is another series, and the old one ends',
  },
  resctrl: {
    ...isAnOpenedFile("'resctrl counters'"),
    slow: fromMemory,
    reset: 'resctrl begins a counter again that fell, as that of a group that was made again',
  },
  rpi_pmic: {
    truncated:
      'rpi_pmic has a gap and a problem for a rail that a truncated answer lacks, and no smaller sum',
    empty: 'rpi_pmic fails with an answer that is empty or garbage, or with an error, and reads again',
    garbage: 'rpi_pmic fails with an answer that is empty or garbage, or with an error, and reads again',
    vanishing: 'rpi_pmic runs on and shows nothing, where there is no such device',
    slow: 'rpi_pmic withstands firmware that does not answer',
    'no permission': 'rpi_pmic names the group of the device, where access to it is denied',
    reset: 'never: the firmware reports voltage and current, from which the receiver computes energy',
  },
  scmi: {
    ...isAnOpenedFile("'scmi zones'"),
    slow: 'scmi withstands firmware that does not answer for a zone, and reads the others',
    reset: 'never: the firmware reports power, from which the receiver computes energy',
  },
  shelly: isAServer('shelly devices'),
  simulator: {
    truncated: 'never: nothing is read',
    empty: 'never: nothing is read',
    garbage: 'never: nothing is read',
    vanishing: 'never: nothing is read',
    slow: 'never: nothing is read',
    'no permission': 'never: nothing is read',
    reset: 'SimulatorSampler begins only that counter again which was reset, and continues with the others',
  },
  snmp: {
    ...same('snmp withstands answers with the fault "${name}"', ['truncated', 'empty', 'garbage']),
    vanishing: 'snmp withstands a device that is switched off',
    slow: 'snmp withstands a device that answers too late',
    'no permission': 'snmp withstands a device that takes its community no longer',
    reset: 'snmp withstands the reset of an energy counter of a device, and reads another one',
  },
  tasmota: isAServer('tasmota devices'),
  thermal: {
    ...isAnOpenedFile("'thermal zones'"),
    slow: 'thermal withstands a zone that does not answer, and reads the others',
    reset: 'never: temperatures are not counters',
  },
};

function same<Names extends FaultName>(text: Evidence, names: readonly Names[]): Record<Names, Evidence> {
  return Object.fromEntries(names.map((name) => [name, text])) as Record<Names, Evidence>; // one entry of each name
}

/** Content of a table cell. */
export interface Cell {
  readonly kind: 'tested' | 'never' | 'missing';
  /** The reason, or the file of the test. */
  readonly text: string;
}

/** @throws Error when no test file of the receiver, or of the given folder, has the text */
export function findEvidence(receiver: string, evidence: Evidence): Cell {
  const [, kind, reason = ''] = /^(never|missing): (.*)$/su.exec(evidence) ?? [];
  if (kind === 'never' || kind === 'missing') return { kind, text: reason };
  const [, path, title = evidence] = /^(src\/\S+): (.*)$/su.exec(evidence) ?? [];
  const folder = `receivers/${receiver}`;
  const files = path === undefined ? listTests(folder) : [`${path}.test.ts`];
  const file = files.find((one) => readFileSync(new URL(one, repositoryRoot), 'utf8').includes(title));
  if (file !== undefined) return { kind: 'tested', text: file };
  throw new Error(`Cannot find a test: expected "${title}" in ${path ?? folder}, found none`);
}

function listTests(folder: string): readonly string[] {
  return readdirSync(new URL(folder, repositoryRoot))
    .filter((name) => name.endsWith('.test.ts'))
    .map((name) => `${folder}/${name}`);
}

/** The table of docs/reader-faults.md, and the reasons that its cells refer to. */
export function renderReaderFaults(): string {
  const reasons: string[] = [];
  const note = (text: string): number => {
    if (!reasons.includes(text)) reasons.push(text);
    return reasons.indexOf(text) + 1;
  };
  const rows = Object.entries(readerFaults).map(([receiver, row]) => {
    const cells = faults.map((fault) => {
      const { kind, text } = findEvidence(receiver, row[fault]);
      if (kind === 'tested') return `[tested](../${text})`;
      return `${kind === 'never' ? 'does not occur' : 'no test'} (${note(text)})`;
    });
    return `| [${receiver}](../receivers/${receiver}) | ${cells.join(' | ')} |`;
  });
  const head = [`| Receiver | ${faults.join(' | ')} |`, `|---|${faults.map(() => '---|').join('')}`];
  const notes = reasons.map((reason, i) => `${i + 1}. ${reason[0]?.toUpperCase()}${reason.slice(1)}.`);
  return [...head, ...rows, '', ...notes].join('\n');
}

const section = /(?<=<!-- faults -->\n\n).*?(?=\n\n<!-- end of faults -->)/su;

/** The page with the current table. */
export function fillReaderFaults(page: string): string {
  return page.replace(section, () => renderReaderFaults());
}
