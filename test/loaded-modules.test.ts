import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { test } from 'node:test';

const fromDist = (path: string) => JSON.stringify(new URL(`../${path}`, import.meta.url).href);

/** Loads the command `run` and every component, and prints the modules of Node that were loaded. */
const script = `
  import { componentKinds } from ${fromDist('src/component/component.js')};
  import { createFactoryFinder, listBuiltInTypes } from ${fromDist('src/component/find.js')};
  import ${fromDist('src/cli/run.js')};
  import ${fromDist('src/telemetry/sdk.js')};
  const finder = createFactoryFinder(process.cwd());
  for (const kind of componentKinds) for (const type of listBuiltInTypes(kind)) await finder.find(kind, type);
  console.log(process.moduleLoadList.join('\\n'));`;

test('no component loads undici, which an import of node:http would do from Node 22 on', () => {
  const { stdout, stderr } = spawnSync(process.execPath, ['--input-type=module', '-e', script], {
    encoding: 'utf8',
  });
  assert.match(stdout, /^NativeModule http$/mu, stderr);
  assert.doesNotMatch(stdout, /undici/u);
});
