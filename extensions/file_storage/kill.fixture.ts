import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import type { TestContext } from 'node:test';
import { fileURLToPath } from 'node:url';
import { createRandom } from '../../src/testing/random.fixture.js';
import { createFolder } from '../../src/testing/temporary-folder.fixture.js';

const program = fileURLToPath(new URL('sending-program.fixture.js', import.meta.url));

/** What became of the requests that a queue had accepted. */
export interface KilledQueue {
  readonly accepted: number;
  readonly received: number;
  /** Surplus copies. */
  readonly doubled: number;
  /** Numbers of accepted requests that never arrived. */
  readonly lost: readonly number[];
  /** Files that the storage still has. */
  readonly left: readonly string[];
}

const perRun = 100_000;

/** For tests: a backend that counts how often each number arrives, and can be down for a while. */
export async function startBackend(t: TestContext) {
  const received = new Map<number, number>();
  const state = { isUp: true };
  const server = createServer((request, response) => {
    const answer = async () => {
      const number = Number(await text(request));
      if (state.isUp) received.set(number, (received.get(number) ?? 0) + 1);
      response.writeHead(state.isUp ? 200 : 503).end();
    };
    void answer();
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => server.close());
  const { port } = server.address() as AddressInfo;
  return { received, state, address: `http://127.0.0.1:${port}` };
}

/** For tests: starts a program that offers numbered requests to a sending queue with a storage. */
export function startProgram(args: readonly string[]) {
  const child = spawn(process.execPath, [program, ...args], { stdio: ['ignore', 'pipe', 'inherit'] });
  let last = -1;
  let rest = '';
  child.stdout.setEncoding('utf8').on('data', (chunk: string) => {
    const lines = (rest + chunk).split('\n');
    rest = lines.pop() ?? '';
    last = Number(lines.at(-1) ?? last);
  });
  return { child, ended: once(child, 'close'), last: () => last };
}

/**
 * For tests: kills the process of a sending queue with a storage at random instants, with the backend down every
 * second time, and then delivers the rest.
 */
export async function killAtRandom(t: TestContext, kills: number): Promise<KilledQueue> {
  const folder = createFolder();
  const { received, state, address } = await startBackend(t);
  const random = createRandom(11);
  const accepted: number[] = [];
  for (let run = 0; run < kills; run++) {
    const first = run * perRun;
    const { child, ended, last } = startProgram([folder, address, `${first}`, `${perRun}`]);
    await once(child.stdout, 'data');
    state.isUp = run % 2 === 0;
    await new Promise((resolve) => setTimeout(resolve, random.whole(150)));
    child.kill('SIGKILL');
    await ended;
    for (let number = first; number <= last(); number++) accepted.push(number);
  }
  state.isUp = true;
  await startProgram([folder, address, '0', '0']).ended;
  return {
    accepted: accepted.length,
    received: received.size,
    doubled: [...received.values()].reduce((sum, times) => sum + times - 1, 0),
    lost: accepted.filter((number) => !received.has(number)),
    left: readdirSync(join(folder, 'numbers')),
  };
}
