import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { rmSync, statfsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { createSteppedClock, noSteppedClock } from '../../src/testing/stepped-clock.fixture.js';
import { createFolder } from '../../src/testing/temporary-folder.fixture.js';
import { until } from '../../src/testing/until.js';
import { startAgent, writeConfig } from '../agent.js';
import { startCollector } from '../interop/collector.js';
import { createControlSocket } from '../interop/control-socket.js';
import { assertEnded } from '../interop/measured-agent.js';
import { isWithout } from '../interop/peers.js';
import { recordCell } from './cells.js';
import { createRestartedAgent } from './restarted-agent.js';

const skip = isWithout('otelcol') || (process.getuid?.() !== 0 && 'mounting a tmpfs needs root');

/** A file system of 2 MiB that is unmounted after the test. */
function mountSmallDisk(t: TestContext): string {
  const folder = createFolder();
  execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=2m', 'joulemetry-test', folder]);
  t.after(() => execFileSync('umount', ['--lazy', folder]));
  return folder;
}

test('otlp_http loses nothing while the disk of its storage is full', { skip }, async (t) => {
  const disk = mountSmallDisk(t);
  const agent = await createRestartedAgent(t, { exporter: 'otlp_http', storage: join(disk, 'queue') });
  await agent.start();
  await until(() => agent.sent().length > 500);
  const filler = join(disk, 'filler');
  const { bavail, bsize } = statfsSync(disk);
  writeFileSync(filler, Buffer.alloc(bavail * bsize));
  await agent.waitFor(/ENOSPC/u);
  const before = agent.sent().length;
  await until(() => agent.sent().length > before + 1000);
  rmSync(filler);
  await until(() => agent.sent().length > before + 2000);
  const { written, stop } = await startCollector(t);
  await agent.finish();
  await stop();
  const { lost, doubled, strange } = agent.account('Disk of `file_storage` full', written.points);
  assert.deepEqual([lost, doubled, strange], [[], 0, []]);
  assertEnded(await agent.stop());
});

const day = { instants: 8640, series: 30, stepNs: 10_000_000_000n };

/** 30 counters every 10 s of a day, in the format of a Collector. */
function recordDay(): string {
  const start = 1_790_000_000_000_000_000n;
  const lines = Array.from({ length: day.instants }, (_, instant) => {
    const at = { startTimeUnixNano: `${start}`, timeUnixNano: `${start + BigInt(instant + 1) * day.stepNs}` };
    const dataPoints = Array.from({ length: day.series }, (__, number) => ({
      ...at,
      attributes: [{ key: 'rail', value: { stringValue: `${number}` } }],
      asDouble: (instant + 1) * (number + 0.5),
    }));
    const sum = { aggregationTemporality: 2, isMonotonic: true, dataPoints };
    const scopeMetrics = [{ scope: { name: 'day' }, metrics: [{ name: 'day.energy', unit: 'J', sum }] }];
    return JSON.stringify({ resourceMetrics: [{ resource: {}, scopeMetrics }] });
  });
  const path = join(createFolder(), 'day.json');
  writeFileSync(path, `${lines.join('\n')}\n`);
  return path;
}

test(
  'otlp_http delivers a day of points stored by a killed agent',
  { skip: skip || noSteppedClock },
  async (t) => {
    const points = day.instants * day.series;
    const socket = createControlSocket();
    const base = `
extensions:
  file_storage: {directory: ${createFolder()}}
  control: {socket: {path: ${socket.path}}}
exporters:
  otlp_http: {endpoint: http://localhost:4318, sending_queue: {storage: file_storage, queue_bytes: 1GiB}}
`;
    const recorded = writeConfig(`
receivers: {replay: {files: [${recordDay()}], at_end: wait}}
${base}
service:
  extensions: [file_storage, control]
  pipelines: {metrics: {receivers: [replay], exporters: [otlp_http]}}
`);
    const later = writeConfig(`
receivers: {host: {collection_interval: 1h}}
${base}
service: {extensions: [file_storage], pipelines: {metrics: {receivers: [host], exporters: [otlp_http]}}}
`);
    const first = startAgent(['run', '-c', recorded]);
    t.after(() => first.stop('SIGKILL'));
    await first.waitFor(/Everything is ready/u);
    await until(async () => (await socket.countAccepted('exporter:otlp_http')) === points);
    // Its last request is stored.
    await socket.flush();
    await first.stop('SIGKILL');
    const { written } = await startCollector(t);
    // It starts a day later.
    const clock = createSteppedClock({ seconds: 86_400 });
    clock.step();
    const second = startAgent(['run', '-c', later], clock.env);
    t.after(() => second.stop('SIGKILL'));
    const ofTheDay = () => written.points.filter(({ name }) => name === 'day.energy');
    await until(() => ofTheDay().length >= points);
    assertEnded(await second.stop());
    const texts = new Set(
      ofTheDay().map(({ time, attributes, value }) => `${time} ${String(attributes['rail'])} ${value}`),
    );
    const doubled = ofTheDay().length - texts.size;
    recordCell({
      fault: 'Backend down for 24 h (points of a day, agent killed), with `file_storage`',
      exporter: 'otlp_http',
      sent: points,
      received: texts.size,
      doubled,
      lost: points - texts.size,
    });
    assert.equal(texts.size, points);
    assert.ok(doubled <= 8192, `${doubled} twice`);
  },
);
