import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import * as gpuMetrics from '../src/gpu/metrics.js';
import { raplEnergy } from '../src/model/energy-domain.js';
import * as ledgerMetrics from '../src/model/ledger-metrics.js';
import * as attributeNames from '../src/model/semantic-conventions.js';
import * as sharedMetrics from '../src/model/shared-metrics.js';
import * as usageMetrics from '../src/model/usage-metrics.js';
import { repositoryRoot } from './component-folders.js';

const folders = ['src', 'receivers', 'processors', 'exporters', 'extensions'] as const;

/** The names of the metrics that a module exports. */
function listMetricNames(module: object): readonly string[] {
  return Object.values(module).flatMap((value: unknown) =>
    typeof value === 'object' && value !== null && 'unit' in value && 'name' in value
      ? [String(value.name)]
      : [],
  );
}

/** The files without tests and fixtures, where literal names are expected values. */
function listFiles(folder: string): readonly string[] {
  return readdirSync(new URL(`${folder}/`, repositoryRoot), { recursive: true, encoding: 'utf8' })
    .filter((path) => path.endsWith('.ts') && !/\.(?:test|fixture)\.ts$/u.test(path))
    .map((path) => `${folder}/${path}`);
}

/** The places at which each of these names is a string of its own in the code. */
function findPlaces(names: ReadonlySet<string>): ReadonlyMap<string, readonly string[]> {
  const found = new Map<string, string[]>([...names].map((name) => [name, []]));
  for (const path of folders.flatMap(listFiles)) {
    const text = readFileSync(fileURLToPath(new URL(path, repositoryRoot)), 'utf8');
    const code = text.replaceAll(/\/\*[\s\S]*?\*\/|^\s*\/\/.*$/gmu, '');
    for (const [, name = ''] of code.matchAll(/'([a-z][a-z0-9_.]*)'/gu)) found.get(name)?.push(path);
  }
  return found;
}

test('the name of every shared attribute and metric is written once', () => {
  const modules = [sharedMetrics, usageMetrics, ledgerMetrics, gpuMetrics, { raplEnergy }];
  const metricNames = modules.flatMap(listMetricNames);
  assert.ok(metricNames.length > 50);
  const places = findPlaces(new Set([...Object.values(attributeNames), ...metricNames]));
  const repeated = [...places].filter(([, paths]) => paths.length !== 1);
  assert.deepEqual(repeated, []);
});
