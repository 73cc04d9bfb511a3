import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { chooseCpuTimeSource } from '../receivers/process/choose-cpu-time-source.js';
import { factory } from '../receivers/process/factory.js';
import { parseSettings } from '../src/config/settings.js';
import { listProcessTree } from '../src/linux/children.js';
import { createFolder } from '../src/testing/temporary-folder.fixture.js';
import { until } from '../src/testing/until.js';
import { startAgent, writeConfig } from './agent.js';

const remedy = 'raise the limit of open files: LimitNOFILE= in a systemd unit, ulimit -n in a shell';
const isAbsent = spawnSync('prlimit', ['--version']).status !== 0;
const skip = isAbsent && 'no prlimit(1), which sets the limit of a running program';

/** Sets the limit of a running program. Descriptors that are already open stay open. */
function setLimit(pid: number, limit: number): void {
  const { status } = spawnSync('prlimit', ['--pid', String(pid), `--nofile=${limit}:`]);
  assert.equal(status, 0);
}

function readLimit(pid: number): number {
  return Number(/^Max open files +(\d+)/m.exec(readFileSync(`/proc/${pid}/limits`, 'utf8'))?.[1]);
}

const { source, obstacle } = await chooseCpuTimeSource(parseSettings(factory.schema, { cpu_time: 'auto' }));
source?.close();

/**
 * With eBPF, the first operation that needs a descriptor varies: the start of a process, or the next check of
 * loaded programs.
 */
const isOut = {
  procfs: /process: Cannot read all processes that .*: EMFILE.*; raise the limit/,
  ebpf: /process: Cannot (?:read all processes that|scrape).*: EMFILE.*; raise the limit/,
} as const;

for (const cpuTime of ['procfs', 'ebpf'] as const) {
  test(
    `an agent without a free descriptor logs the remedy once, and continues to measure when descriptors are free: ${cpuTime}`,
    { skip: skip || (cpuTime === 'ebpf' && (obstacle ?? false)) },
    async () => {
      const file = join(createFolder(), 'processes.json');
      const agent = startAgent(['-c', writeConfig(describe(file, `cpu_time: ${cpuTime}`))]);
      await agent.waitFor(/Everything is ready/);
      const limit = readLimit(agent.pid);
      setLimit(agent.pid, 3);
      // Starts a process, so that there is something to open.
      spawnSync('true');
      await agent.waitFor(isOut[cpuTime]);
      setLimit(agent.pid, limit);
      await agent.waitFor(/process: (?:Descriptors are free|Recovered, scraping) again/);
      const { code, stderr } = await agent.stop();
      assert.equal(code, 0);
      const causes = stderr.match(/(?<=Cannot ).*(?=: EMFILE)/gu) ?? [];
      assert.equal(stderr.split(remedy).length - 1, causes.length, stderr);
      assert.deepEqual(causes, [...new Set(causes)], stderr);
      if (cpuTime === 'procfs') assert.equal(causes.length, 1, stderr);
    },
  );
}

/** More processes than 64 descriptors can be kept open for. */
const crowd = 150;

test(
  'an agent with a limit of 64 descriptors reads every process, and keeps some descriptors free',
  { skip },
  async (t) => {
    const script = `for i in $(seq ${crowd}); do sleep 1000 & done; echo ready; wait`;
    const shell = spawn('sh', ['-c', script], { detached: true, stdio: ['ignore', 'pipe', 'ignore'] });
    const { pid = 0 } = shell;
    t.after(() => process.kill(-pid, 'SIGKILL'));
    await once(shell.stdout, 'data');
    const file = join(createFolder(), 'processes.json');
    const agent = startAgent(['-c', writeConfig(describe(file))], {}, ['prlimit', '--nofile=64:64']);
    const waiting = listProcessTree(pid);
    assert.equal(waiting.length, 1 + crowd);
    await until(() => {
      const text = existsSync(file) ? readFileSync(file, 'utf8') : '';
      return waiting.every((one) => text.includes(`{"key":"process.pid","value":{"intValue":"${one}"}}`));
    });
    // It keeps the last 16 free; other threads may be using some of them at this moment.
    const count = readdirSync(`/proc/${agent.pid}/fd`).length;
    assert.ok(count <= 56, `${count} are open`);
    const { code, stderr } = await agent.stop();
    assert.equal(code, 0);
    assert.doesNotMatch(stderr, /Cannot/);
  },
);

function describe(file: string, settings = 'cpu_time: auto'): string {
  return `
receivers: {process: {collection_interval: 100ms, ${settings}}}
exporters: {file: {path: ${file}, flush_interval: 100ms}}
service:
  telemetry: {metrics: {level: none}}
  pipelines: {metrics: {receivers: [process], exporters: [file]}}
`;
}
