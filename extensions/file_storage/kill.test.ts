import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { test, type TestContext } from 'node:test';
import { fileURLToPath } from 'node:url';
import { createRandom } from '../../src/testing/random.fixture.js';
import { createFolder } from '../../src/testing/temporary-folder.fixture.js';

const program = fileURLToPath(new URL('sending-program.fixture.js', import.meta.url));

/** 200 kills take a minute. */
const kills = Number(process.env['JOULEMETRY_TEST_KILLS'] ?? 6);
const perRun = 100_000;

/** A backend that counts how often each number arrives, and is repeatedly down for a while. */
async function startBackend(t: TestContext) {
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

function startProgram(args: readonly string[]) {
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

test(`a sending queue with a storage loses no accepted request, when it is killed ${kills} times at random`, async (t) => {
  const folder = createFolder();
  const { received, state, address } = await startBackend(t);
  const random = createRandom(11);
  const taken: number[] = [];
  for (let run = 0; run < kills; run++) {
    const first = run * perRun;
    const { child, ended, last } = startProgram([folder, address, `${first}`, `${perRun}`]);
    await once(child.stdout, 'data');
    state.isUp = run % 2 === 0;
    await new Promise((resolve) => setTimeout(resolve, random.whole(150)));
    child.kill('SIGKILL');
    await ended;
    for (let number = first; number <= last(); number++) taken.push(number);
  }
  state.isUp = true;
  await startProgram([folder, address, '0', '0']).ended;
  assert.ok(taken.length > kills);
  assert.deepEqual(
    taken.filter((number) => !received.has(number)),
    [],
  );
  // One request is in flight when the program is killed; only that one may be sent again.
  const again = [...received.values()].reduce((sum, times) => sum + times - 1, 0);
  assert.ok(again <= kills, `${again} were sent again`);
  t.diagnostic(`${taken.length} requests taken, ${received.size} received, ${again} of them twice`);
  assert.deepEqual(readdirSync(join(folder, 'numbers')), []);
});
