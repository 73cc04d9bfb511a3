import assert from 'node:assert/strict';
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { test } from 'node:test';
import { startAgent, writeConfig } from './agent.js';

/** An exporter whose shutdown blocks the main thread for longer than a shutdown may take. */
const stuck = `
  export const factory = {
    schema: {},
    create: () => ({
      start: async () => {},
      consume: () => true,
      shutdown: async () => {
        const endMs = performance.now() + 5100;
        while (performance.now() < endMs);
      },
    }),
  };`;

test('an agent whose shutdown takes longer than 5 s exits with code 1 and reports a loss', async () => {
  const config = writeConfig(`
receivers: {simulator: }
exporters: {stuck: }
service:
  telemetry: {metrics: {level: none}}
  pipelines: {metrics: {receivers: [simulator], exporters: [stuck]}}
`);
  const name = 'joulemetry-exporter-stuck';
  const folder = join(dirname(config), 'node_modules', name);
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, 'package.json'), JSON.stringify({ name, type: 'module', exports: './main.js' }));
  writeFileSync(join(folder, 'main.js'), stuck);
  const agent = startAgent(['--config', config]);
  await agent.waitFor(/Everything is ready/);
  const { code, stderr } = await agent.stop();
  assert.match(
    stderr,
    /error Exiting: the shutdown took longer than 5 s, data that was not exported is lost\n$/,
  );
  assert.equal(code, 1);
});
