import assert from 'node:assert/strict';
import { test } from 'node:test';
import { validatePipelines, validateReferences, type KnownIds } from './pipelines.js';
import { describeProblem, type Problem } from './problem.js';
import { parseConfigText } from './read-yaml.js';

const known: KnownIds = {
  receivers: new Set(['rapl', 'rapl/two']),
  processors: new Set(['power', 'attribution']),
  exporters: new Set(['file', 'otlp']),
};

/** What is found in the text of `service`. */
function validate(text: string) {
  const problems: Problem[] = [];
  const service = parseConfigText(text, 'c.yaml', { env: {}, onUnset() {} }, problems);
  const pipelines = validatePipelines(service, known, problems);
  return { pipelines, problems: problems.map(describeProblem) };
}

test('validatePipelines gives the pipelines in the order in which they are written', () => {
  const { pipelines, problems } = validate(`
pipelines:
  metrics/b: {receivers: [rapl], processors: [attribution, power], exporters: [otlp, file]}
  metrics: {receivers: ["rapl / two"], exporters: [file]}
`);
  assert.deepEqual(problems, []);
  assert.deepEqual(pipelines, [
    {
      id: 'metrics/b',
      receivers: ['rapl'],
      processors: ['attribution', 'power'],
      exporters: ['otlp', 'file'],
    },
    { id: 'metrics', receivers: ['rapl/two'], processors: [], exporters: ['file'] },
  ]);
});

test('validatePipelines wants at least one pipeline, whatever is in their place', () => {
  const expected = 'service.pipelines: must have at least one pipeline';
  for (const text of [
    '{}',
    'pipelines:',
    'pipelines: {}',
    'pipelines: []',
    'pipelines: metrics',
    'null',
    '',
  ]) {
    const { pipelines, problems } = validate(text);
    assert.deepEqual(pipelines, []);
    assert.equal(problems.length, 1, text);
    assert.ok(problems[0]?.includes(expected), problems[0]);
  }
  assert.match(validate('pipelines: 7').problems.join(), /expected a map of pipelines, found the number 7$/u);
});

test('validatePipelines leaves a service that is no map to the check of its other settings', () => {
  for (const text of ['[a]', '7', 'metrics'])
    assert.deepEqual(validate(text), { pipelines: [], problems: [] });
});

test('validatePipelines names each mistake of a pipeline at its place', () => {
  const cases: Readonly<Record<string, readonly RegExp[]>> = {
    'logs: {receivers: [rapl], exporters: [file]}': [
      /^c\.yaml:1:13: service\.pipelines\.logs: unknown signal "logs", this collector has metrics pipelines only$/u,
    ],
    '"7up": {receivers: [rapl], exporters: [file]}': [/expected a component type .*, found "7up"$/u],
    'metrics: {exporters: [file]}': [/metrics: must have at least one receiver$/u],
    'metrics: {receivers: [rapl]}': [/metrics: must have at least one exporter$/u],
    'metrics: {receivers: [rapl], exporters: [flie]}': [
      /^c\.yaml:1:54: service\.pipelines\.metrics\.exporters: references exporter "flie" which is not configured, did you mean "file"\?$/u,
    ],
    'metrics: {receivers: [rapl, rapl], exporters: [file]}': [
      /references receiver "rapl" .*(?:twice|again|more than once)/u,
    ],
    'metrics: {receivers: rapl, exporters: [file]}': [/receivers: expected a list of texts/u],
    'metrics: {recievers: [rapl], exporters: [file]}': [/unknown setting, did you mean "receivers"\?$/u],
    'metrics: [rapl]': [/metrics: expected a map/u],
  };
  for (const [text, expected] of Object.entries(cases)) {
    const { problems } = validate(`pipelines: {${text}}`);
    assert.equal(problems.length, expected.length, `${text}: ${problems.join('\n')}`);
    for (const [i, pattern] of expected.entries()) assert.match(problems[i] ?? '', pattern);
  }
});

test('a pipeline that cannot be read names nothing, so that no mistake follows from another', () => {
  const { pipelines } = validate('pipelines: {metrics: {receivers: 7, exporters: [nothing]}}');
  assert.deepEqual(pipelines, [{ id: 'metrics', receivers: [], processors: [], exporters: [] }]);
});

test('validateReferences has no place for ids that come from a default', () => {
  const found = validateReferences(
    { path: 'a', kind: 'exporter', list: undefined },
    ['none'],
    known.exporters,
  );
  assert.deepEqual(found.map(describeProblem), [
    'a: references exporter "none" which is not configured, known: file, otlp',
  ]);
});
