import assert from 'node:assert/strict';
import { test } from 'node:test';
import { validateConfigOf } from '../src/cli/config-options.js';
import { describeError } from '../src/errors.js';
import { writeConfig } from './agent.js';

/** A processor in a Collector's configuration: its id, and its settings as shown in its documentation. */
export interface Example {
  readonly what: string;
  readonly id: string;
  readonly settings: string;
  /** The messages of `validate` that name a replacement; unset: the settings are accepted. */
  readonly refusals?: readonly RegExp[];
}

/** The messages of `validate` for a processor between a receiver and an exporter; undefined: none. */
async function validate({ id, settings }: Example): Promise<string | undefined> {
  const path = writeConfig(`
receivers: {otlp: {protocols: {http: }}}
processors:
  ${id}:${settings}
exporters: {debug: }
service: {pipelines: {metrics: {receivers: [otlp], processors: [${id}], exporters: [debug]}}}
`);
  try {
    await validateConfigOf({ config: [path], set: [] });
    return undefined;
  } catch (error) {
    return describeError(error).replaceAll(path, 'config.yaml');
  }
}

/** Tests that `validate` takes each example, or says what to write instead. */
export function testExamples(examples: readonly Example[]): void {
  for (const example of examples) {
    const { what, id, refusals } = example;
    const does = refusals ? 'says what to write instead of' : 'takes';
    test(`validate ${does} ${id} of the Collector: ${what}`, async () => {
      const said = await validate(example);
      if (refusals === undefined) assert.equal(said, undefined);
      for (const refusal of refusals ?? []) assert.match(said ?? '', refusal);
    });
  }
}
