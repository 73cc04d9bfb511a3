import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { test } from 'node:test';

const fromDist = (path: string) => JSON.stringify(new URL(`../${path}`, import.meta.url).href);

/** Prints each import of node:http; `require`, as in CommonJS packages, does not call these hooks. */
const hooks = `
  import { writeSync } from 'node:fs';
  export function resolve(specifier, context, next) {
    if (/^(node:)?http$/.test(specifier)) writeSync(1, 'node:http is imported by ' + context.parentURL + '\\n');
    return next(specifier, context);
  }`;
const hooksUrl = JSON.stringify(`data:text/javascript,${encodeURIComponent(hooks)}`);

/** Loads the command `run` and every component, and prints the Node modules that were loaded. */
const script = `
  import { register } from 'node:module';
  register(${hooksUrl});
  const { componentKinds } = await import(${fromDist('src/component/kinds.js')});
  const { createFactoryFinder, listBuiltInTypes } = await import(${fromDist('src/component/find.js')});
  await import(${fromDist('src/cli/run.js')});
  await import(${fromDist('src/telemetry/sdk.js')});
  const finder = createFactoryFinder(process.cwd());
  for (const kind of componentKinds) for (const type of listBuiltInTypes(kind)) await finder.find(kind, type);
  console.log(process.moduleLoadList.join('\\n'));`;

test('no component imports node:http, which loads undici from Node 22 on', () => {
  const { stdout, stderr } = spawnSync(process.execPath, ['--input-type=module', '-e', script], {
    encoding: 'utf8',
  });
  assert.match(stdout, /^NativeModule http$/mu, stderr);
  assert.doesNotMatch(stdout, /^node:http is imported by|undici/mu);
});
