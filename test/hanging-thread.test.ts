import assert from 'node:assert/strict';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { test } from 'node:test';
import { createFolder } from '../src/testing/temporary-folder.fixture.js';
import { startAgent, writeConfig } from './agent.js';

const urlOf = (module: string) => new URL(`../src/export/${module}`, import.meta.url).href;

/** An exporter that sends on a thread. */
const exporter = `
  import { createLineParts } from '${urlOf('line-batcher.js')}';
  import { batchSettings, QueuedExporter } from '${urlOf('queued-exporter.js')}';
  import { retrySettings } from '${urlOf('retry.js')}';
  import { sendingQueueSettings } from '${urlOf('sending-queue.js')}';
  import { openThreadedSender } from '${urlOf('threaded-sender.js')}';
  const module = new URL('thread.js', import.meta.url);
  const format = {
    describeSeries: ({ metric }) => ({ text: metric.name + ' ', formatValue: String }),
    endRow: () => '\\n',
  };
  export const factory = {
    schema: { batch: batchSettings, sending_queue: sendingQueueSettings, retry_on_failure: retrySettings },
    create: (config, context) => new QueuedExporter(config, context, {
      ...createLineParts(format, config.batch),
      openSender: () => openThreadedSender({ module, config: {}, log: context.log }),
    }),
  };`;

/** Its thread, which never comes back from the first request. */
const threadOf = (blocking: string) => `
  import { libc } from '${urlOf('../linux/libc.js')}';
  import { serveSender } from '${urlOf('sending-thread.js')}';
  serveSender(async (config, log) => ({
    target: 'a place',
    send() {
      log.info('Hanging');
      ${blocking}
    },
    close() {},
  }));`;

/** Adds a package with that exporter to the folder of a configuration. */
function addExporter(config: string, blocking: string): void {
  const name = 'joulemetry-exporter-hanging';
  const folder = join(dirname(config), 'node_modules', name);
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, 'package.json'), JSON.stringify({ name, type: 'module', exports: './main.js' }));
  writeFileSync(join(folder, 'main.js'), exporter);
  writeFileSync(join(folder, 'thread.js'), threadOf(blocking));
}

for (const [where, blocking] of [
  ['JavaScript', 'for (;;);'],
  ['C code', `libc.func('int sleep(unsigned int)')(3600);`],
] as const)
  test(`an agent whose sending thread hangs in ${where} ends in time after SIGTERM, and counts what it could not send`, async () => {
    const published = join(createFolder(), 'published.json');
    const config = writeConfig(`
receivers: {simulator: {collection_interval: 200ms}}
exporters: {hanging: , file: {path: '${published}'}}
service:
  telemetry: {metrics: {level: none}}
  pipelines: {metrics: {receivers: [simulator], exporters: [hanging, file]}}
`);
    addExporter(config, blocking);
    const agent = startAgent(['--config', config]);
    await agent.waitFor(/Hanging/);
    const { code, stderr } = await agent.stop();
    const points = readFileSync(published, 'utf8').match(/"as(?:Int|Double)"/gu)?.length;
    const lost =
      /error .*Lost (?<points>\d+) points for a place: there was no time left before the shutdown/u;
    assert.equal(Number(lost.exec(stderr)?.groups?.['points']), points, stderr);
    assert.match(stderr, /terminating its sending thread, which does not end/);
    assert.doesNotMatch(stderr, /Leaving|Cannot shut down/);
    assert.equal(code, 0, stderr);
  });
