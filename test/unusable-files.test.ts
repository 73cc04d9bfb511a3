import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdirSync, readdirSync, symlinkSync, unlinkSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { createFolder } from '../src/testing/temporary-folder.fixture.js';
import { runAgent, startAgent, writeConfig } from './agent.js';
import { openGoldenMachine } from './golden-machine.js';

/** Waiting for a FIFO or reading a device to its end never returns. */
const timeout = 120_000;

/** Replacements for the files of a machine. */
const replacements = {
  FIFOs: (path: string) => execFileSync('mkfifo', [path]),
  folders: (path: string) => mkdirSync(path),
  'devices without an end': (path: string) => symlinkSync('/dev/zero', path),
  'broken links': (path: string) => symlinkSync('/nowhere/at/all', path),
};

/** A machine with every file that receivers look for, each replaced by something other than a file. */
function createMachine(replace: (path: string) => unknown): string {
  const { root } = openGoldenMachine();
  for (const entry of readdirSync(root, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile()) continue;
    const path = join(entry.parentPath, entry.name);
    unlinkSync(path);
    replace(path);
  }
  return root;
}

function configure(root: string): string {
  const procfs = join(root, 'proc');
  const sysfs = join(root, 'sys');
  return writeConfig(`
receivers:
  host: {start: auto, procfs: ${procfs}, sysfs: ${sysfs}, collection_interval: 50ms}
  process: {start: auto, procfs: ${procfs}, passwd: ${root}/proc/stat, collection_interval: 50ms}
  rapl: {start: auto, sysfs: ${sysfs}}
  estimate: {start: auto, procfs: ${procfs}}
  perf: {start: auto, events: [task-clock], procfs: ${procfs}, sysfs: ${sysfs}}
processors:
  resource: {root: ${root}}
exporters: {debug: }
service:
  pipelines:
    metrics: {receivers: [host, process, rapl, estimate, perf], processors: [resource], exporters: [debug]}
  telemetry: {metrics: {level: none}}
`);
}

for (const [name, replace] of Object.entries(replacements)) {
  test(
    `doctor and run do not block when the files of procfs and sysfs are ${name}`,
    { timeout },
    async () => {
      const config = configure(createMachine(replace));
      const doctor = await runAgent(['doctor', '-c', config]);
      assert.match(doctor.stdout, /rapl/u, doctor.stderr);
      const agent = startAgent(['run', '-c', config]);
      await Promise.race([agent.ended, agent.waitFor(/Everything is ready/u)]);
      const { stderr } = await agent.stop();
      assert.doesNotMatch(stderr, /\n {4}at /u);
    },
  );
}

test(
  'run refuses certificates, states and recordings that are FIFOs, without blocking',
  { timeout },
  async () => {
    const folder = createFolder();
    const fifo = join(folder, 'fifo');
    execFileSync('mkfifo', [fifo]);
    const exporters = {
      otlp_http: `{endpoint: "https://localhost:1", tls: {ca_file: ${fifo}}}`,
      otlp_grpc: `{tls: {ca_file: ${fifo}}}`,
      file: `{path: ${fifo}}`,
    };
    for (const [exporter, settings] of Object.entries(exporters)) {
      const { code, stderr } = await runAgent([
        'run',
        '-c',
        writeConfig(describePipeline(exporter, settings)),
      ]);
      assert.equal(code, 1);
      assert.match(stderr, /fifo.*(?:found a FIFO|found a pipe)/u);
    }
    const replay = writeConfig(
      describePipeline('debug', '{}')
        .replaceAll('host', 'replay')
        .replace('replay: {}', `replay: {files: [${fifo}], at_end: exit}`),
    );
    assert.match(
      (await runAgent(['run', '-c', replay])).stderr,
      /Cannot read .*fifo: expected a regular file, found a FIFO/u,
    );
  },
);

function describePipeline(exporter: string, settings: string): string {
  return `
receivers: {host: {}}
exporters: {${exporter}: ${settings}}
service: {pipelines: {metrics: {receivers: [host], exporters: [${exporter}]}}, telemetry: {metrics: {level: none}}}
`;
}
