import assert from 'node:assert/strict';
import type { Factories } from '../component/component.js';
import type { ComponentKind } from '../component/kinds.js';
import type { Schema } from '../component/schema.js';
import { describeProblem, type Problem } from '../config/problem.js';
import { receiverKeys } from '../config/service-schema.js';
import { parseSettings, validateSettings } from '../config/settings.js';
import { describeError } from '../errors.js';
import type { Subject } from './component-package.js';
import {
  describeMetricRow,
  findExamples,
  findSection,
  listHeadings,
  listSettings,
  parseTable,
  renderSettingsTable,
} from './readme.js';
import { runChecks, type Check } from './run-checks.js';
import type { Trial } from './trial-run.js';

/** A check of a component's files and declarations. */
type StaticCheck = (subject: Subject) => void;

const checksOfAll: Readonly<Record<string, StaticCheck>> = {
  'has a description and a valid default for every setting': checkSchema,
  'has a README with the fixed outline': checkOutline,
  'documents every setting as its schema has it': checkSettingsTable,
  'shows examples that are valid': checkExamples,
  'has a test of its own': ({ testFiles }) =>
    assert.ok(testFiles.length > 0, 'expected a test file, found none'),
};

const staticChecks: Readonly<Record<ComponentKind, Readonly<Record<string, StaticCheck>>>> = {
  receiver: {
    ...checksOfAll,
    'documents every metric with unit and kind': checkMetricsTable,
    'expects series of its own metrics only': checkExpectedSeries,
  },
  processor: { ...checksOfAll, 'documents every metric with unit and kind': checkMetricsTable },
  exporter: checksOfAll,
  extension: checksOfAll,
};

/**
 * The contract of every component, built-in or third-party: each check is a test of its own. A running
 * component is checked with its defaults and with every example in its README.
 */
export function listChecks(subject: Subject): readonly Check[] {
  const fixed = Object.entries(staticChecks[subject.kind]).map(([name, check]) => ({
    name,
    async run() {
      check(subject);
      return undefined;
    },
  }));
  return [...fixed, ...listTrials(subject).flatMap((trial) => runChecks(subject, trial))];
}

function checkSchema({ factory }: Subject): void {
  for (const { path, doc } of listSettings(factory.schema)) {
    assert.match(doc, /^[A-Z].*[.?]$/su, `the doc of "${path}" is no sentence`);
  }
  parseSettings(factory.schema, {});
}

const outlines: { readonly [Kind in ComponentKind]: readonly string[] } = {
  receiver: ['What is read', 'What it needs', 'Metrics', 'Settings'],
  processor: ['What it does', 'Settings'],
  exporter: ['What it does', 'Settings'],
  extension: ['What it does', 'Settings'],
};

function checkOutline({ kind, type, readme }: Subject): void {
  assert.ok(readme.startsWith(`# ${type} ${kind}\n`), `the README does not begin with "# ${type} ${kind}"`);
  assert.equal(listHeadings(readme)[0], 'Example', 'the first section of the README is not "Example"');
  for (const heading of outlines[kind]) {
    assert.ok(findSection(readme, heading) !== undefined, `the README has no section "${heading}"`);
  }
}

function checkSettingsTable({ factory, readme }: Subject): void {
  const documented = parseTable(findSection(readme, 'Settings') ?? '');
  assert.deepEqual(documented, parseTable(renderSettingsTable(factory.schema)));
}

function checkMetricsTable({ factory, readme }: Subject): void {
  const { metrics = [] } = factory as Factories['receiver' | 'processor'];
  const documented = parseTable(findSection(readme, 'Metrics') ?? '').map(
    ([name, unit = '', kind]) => `${name} | \`${unit.replaceAll('`', '')}\` | ${kind}`,
  );
  assert.deepEqual(documented.toSorted(), [...new Set(metrics.map(describeMetricRow))].toSorted());
}

function checkExpectedSeries({ factory }: Subject): void {
  if (!('expectedSeries' in factory) || factory.expectedSeries === undefined) return;
  const names = new Set(factory.metrics.map(({ name }) => name));
  const foreign = factory
    .expectedSeries(parseSettings(factory.schema, {}))
    .filter(({ metric }) => !names.has(metric));
  assert.deepEqual(foreign, []);
}

/** Other components in an example are checked by their own tests. */
function checkExamples(subject: Subject): void {
  const problems: Problem[] = [];
  for (const { id, node } of findExamples(subject.readme, subject, problems)) {
    const settings = validateSettings<Schema>(schemaOf(subject), node, id, problems);
    if (problems.length === 0) assert.deepEqual(subject.factory.check?.(settings) ?? [], []);
  }
  assert.deepEqual(problems.map(describeProblem), []);
}

function schemaOf({ kind, factory }: Subject): Schema {
  return kind === 'receiver' ? { ...factory.schema, ...receiverKeys } : factory.schema;
}

/** The settings to run a component with: its defaults, and the examples in its README. */
function listTrials(subject: Subject): readonly Trial[] {
  const { factory, type: id } = subject;
  const settings = parseSettings<Schema>(factory.schema, {});
  const incomplete = factory.check?.(settings) ?? [];
  const needs = incomplete.length > 0 ? `needs settings: ${incomplete.join('; ')}` : undefined;
  const defaults = { name: 'its defaults', id, settings, isDefault: true, needs };
  try {
    return [defaults, ...listExampleTrials(subject)];
  } catch (error) {
    // The check of the examples fails for the same reason.
    const examples = {
      name: 'its examples',
      id,
      settings: {},
      isDefault: false,
      needs: describeError(error),
    };
    return [defaults, examples];
  }
}

function listExampleTrials(subject: Subject): readonly Trial[] {
  const problems: Problem[] = [];
  return findExamples(subject.readme, subject, problems).map(({ id, node, needs }) => {
    const settings = validateSettings<Schema>(schemaOf(subject), node, id, problems);
    const [problem] = problems;
    const invalid = problem && `an example that is valid: ${describeProblem(problem)}`;
    return {
      name: `the example "${id}"`,
      id,
      settings,
      isDefault: false,
      needs: invalid ?? (needs && `needs ${needs}`),
    };
  });
}
