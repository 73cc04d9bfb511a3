/** A line of an exposition. */
export interface Line {
  /** Name and labels, sorted, without those that Prometheus adds. */
  readonly key: string;
  readonly value: number;
}

const sampleLine = /^(?<name>[a-zA-Z_:][\w:]*)(?:\{(?<labels>.*)\})? (?<value>\S+)$/u;
const labelPair = /(?<name>\w+)="(?<value>(?:[^"\\]|\\.)*)"/gu;
const escapes: Readonly<Record<string, string>> = { '\\n': '\n', '\\"': '"', '\\\\': '\\' };

/** Reads the samples of an exposition with an independent parser. */
export function parseExposition(text: string): readonly Line[] {
  return text
    .split('\n')
    .filter((line) => line !== '' && !line.startsWith('#'))
    .map((line) => {
      const { name = '', labels = '', value = '' } = sampleLine.exec(line)?.groups ?? {};
      return { key: keyOf({ __name__: name, ...parseLabels(labels) }), value: Number(value) };
    });
}

/** Name and labels of a series as text, without those that Prometheus adds. */
export function keyOf(labels: Readonly<Record<string, string>>): string {
  const { job: _job, exported_job: _exportedJob, instance: _instance, ...others } = labels;
  return JSON.stringify(Object.entries(others).toSorted(([a], [b]) => (a < b ? -1 : 1)));
}

function parseLabels(text: string): Record<string, string> {
  const pairs = [...text.matchAll(labelPair)].map(({ groups = {} }) => [
    groups['name'],
    groups['value']?.replaceAll(/\\[n"\\]/gu, (escape) => escapes[escape] ?? escape),
  ]);
  return Object.fromEntries(pairs) as Record<string, string>;
}
