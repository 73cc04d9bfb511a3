import type { Format } from './exposition.js';

interface Range {
  readonly name: string;
  readonly parameters: ReadonlyMap<string, string>;
  readonly quality: number;
}

/** The format that an Accept header prefers. The default is classic text, for people and old scrapers. */
export function chooseFormat(accept: string | undefined): Format {
  const ranges = parseRanges(accept ?? '');
  const qualityOf = (fits: (range: Range) => boolean) =>
    Math.max(0, ...ranges.filter(fits).map(({ quality }) => quality));
  const openMetrics = qualityOf(isOpenMetrics);
  const classic = qualityOf(isClassic);
  return openMetrics > 0 && openMetrics >= classic ? 'openmetrics' : 'classic';
}

/** Whether an Accept-Encoding header accepts gzip. */
export function acceptsGzip(acceptEncoding: string | undefined): boolean {
  const ranges = parseRanges(acceptEncoding ?? '');
  const range = ranges.find(({ name }) => name === 'gzip') ?? ranges.find(({ name }) => name === '*');
  return range !== undefined && range.quality > 0;
}

function isOpenMetrics({ name, parameters }: Range): boolean {
  return name === 'application/openmetrics-text' && ['1.0.0', undefined].includes(parameters.get('version'));
}

function isClassic({ name, parameters }: Range): boolean {
  if (name === '*/*' || name === 'text/*') return true;
  return name === 'text/plain' && ['0.0.4', undefined].includes(parameters.get('version'));
}

function parseRanges(header: string): readonly Range[] {
  return header
    .toLowerCase()
    .split(',')
    .map((part) => {
      const [name = '', ...rest] = part.split(';').map((piece) => piece.trim());
      const parameters = new Map(rest.map(parseParameter));
      return { name, parameters, quality: parseQuality(parameters.get('q')) };
    });
}

function parseParameter(text: string): [string, string] {
  const [, name = text, value = ''] = /^([^=]*)=(.*)$/.exec(text) ?? [];
  return [name.trim(), value.trim().replaceAll('"', '')];
}

function parseQuality(text: string | undefined): number {
  const quality = text === undefined ? 1 : Number(text);
  return quality >= 0 && quality <= 1 ? quality : 0;
}
