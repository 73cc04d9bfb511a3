import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, rmdirSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http2';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { findHierarchies } from '../src/linux/cgroup/hierarchies.js';
import type { Benchmark, Grid } from './benchmark.js';
import { readTreeCpuMs, readTreeMemory } from './process-tree.js';
import { endProgram } from './processes.js';

const program = fileURLToPath(new URL('../src/cli/main.js', import.meta.url));
const preset = fileURLToPath(new URL('../../config/fleet.yaml', import.meta.url));
const unitCounts = [10, 100];
const warmUpMs = 35_000;
const measuredMs = 1000 * Number(process.env['FLEET_SECONDS'] ?? 120);

/** CPU use and outgoing traffic of a node with the preset for fleets, by the number of units that run on it. */
export const fleet: Benchmark = {
  name: 'fleet',
  isLong: true,
  async measure(): Promise<Grid> {
    const rows: (readonly string[])[] = [];
    for (const units of unitCounts) rows.push(await measureNode(units));
    return {
      columns: [
        'Units',
        'CPU ms/s',
        'Private MB',
        'Requests/min',
        'Bytes/s on the wire',
        'GB per 1,000 nodes and day',
      ],
      rows,
    };
  },
};

/** A backend that counts what it receives. */
async function openSink() {
  const count = { requests: 0, bytes: 0 };
  const server = createServer();
  server.on('stream', (stream) => {
    stream.on('data', (chunk: Buffer) => (count.bytes += chunk.length));
    stream.on('end', () => {
      count.requests++;
      stream.respond({ ':status': 200, 'content-type': 'application/grpc' }, { waitForTrailers: true });
      stream.on('wantTrailers', () => stream.sendTrailers({ 'grpc-status': '0' }));
      // An empty ExportMetricsServiceResponse.
      stream.end(Buffer.alloc(5));
    });
  });
  server.listen(0, 'localhost');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo; // a server that listens on a port
  return { count, port, close: () => server.close() };
}

/** Units as created by systemd, each with a process that uses 1 % of a CPU. */
function startUnits(units: number) {
  const unified = findHierarchies({ procfs: '/proc', cgroupfs: '' }).find(({ version }) => version === 2);
  if (unified === undefined) throw new Error('Cannot make units: expected a cgroup2 hierarchy, found none');
  const root = join(unified.folder, `bench-${process.pid}.slice`);
  const folders = Array.from({ length: units }, (_, unit) => join(root, `bench-${unit}.service`));
  const children: ChildProcess[] = [];
  mkdirSync(root);
  for (const folder of folders) {
    mkdirSync(folder);
    const work = 'while :; do i=0; while [ $i -lt 300 ]; do i=$((i + 1)); done; sleep 1; done';
    const child = spawn('sh', ['-c', work], { stdio: 'ignore' });
    children.push(child);
    writeFileSync(join(folder, 'cgroup.procs'), String(child.pid));
  }
  return {
    async end() {
      const ended = children.map((child) => once(child, 'exit'));
      for (const folder of folders) writeFileSync(join(folder, 'cgroup.kill'), '1');
      await Promise.all(ended);
      // The kernel removes the last process some time after its exit.
      await sleep(500);
      for (const folder of [...folders, root]) rmdirSync(folder);
    },
  };
}

async function measureNode(units: number): Promise<readonly string[]> {
  const [sink, load] = [await openSink(), startUnits(units)];
  const state = mkdtempSync(join(tmpdir(), 'joulemetry-fleet-'));
  const agent = spawn(process.execPath, [program, '-c', preset], {
    stdio: ['ignore', 'ignore', 'inherit'],
    env: {
      ...process.env,
      COLLECTOR: `localhost:${sink.port}`,
      COLLECTOR_INSECURE: 'true',
      STATE_DIRECTORY: state,
    },
  });
  try {
    await sleep(warmUpMs);
    const [cpuMs, beganMs, before] = [readTreeCpuMs(agent.pid ?? 0), performance.now(), { ...sink.count }];
    await sleep(measuredMs);
    const seconds = (performance.now() - beganMs) / 1000;
    const bytes = (sink.count.bytes - before.bytes) / seconds;
    return [
      String(units),
      ((readTreeCpuMs(agent.pid ?? 0) - cpuMs) / seconds).toFixed(2),
      (readTreeMemory(agent.pid ?? 0).privateBytes / 1e6).toFixed(0),
      (((sink.count.requests - before.requests) / seconds) * 60).toFixed(1),
      bytes.toFixed(0),
      ((bytes * 86_400 * 1000) / 1e9).toFixed(1),
    ];
  } finally {
    await endProgram(agent);
    await load.end();
    sink.close();
    rmSync(state, { recursive: true, force: true });
  }
}
