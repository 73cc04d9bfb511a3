import assert from 'node:assert/strict';
import {
  appendFileSync,
  closeSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { createLogCollector } from '../../src/component/fakes.js';
import type { QueuedRequest, StoredRequest } from '../../src/component/queue-storage.js';
import { elementAt } from '../../src/element.js';
import { createFolder } from '../../src/testing/temporary-folder.fixture.js';
import { DiskQueue, type DiskQueueOptions } from './disk-queue.js';

const standard: DiskQueueOptions = { fsync: false, maxAgeMs: null };

function request(text: string, points = 1): QueuedRequest {
  return { bytes: new TextEncoder().encode(text), points };
}

async function openQueue(folder: string, options: Partial<DiskQueueOptions> = {}) {
  const log = createLogCollector();
  const queue = await DiskQueue.open(folder, log, { ...standard, ...options });
  return { queue, log: log.lines };
}

async function textOf(stored: StoredRequest | undefined): Promise<string> {
  const { bytes = new Uint8Array() } = (await stored?.load()) ?? {};
  return new TextDecoder().decode(bytes);
}

/** Takes all queued requests, oldest first. */
async function takeAll(queue: DiskQueue): Promise<readonly string[]> {
  const texts: string[] = [];
  for (let one = queue.take(); one; one = queue.take()) texts.push(await textOf(one));
  return texts;
}

function onlyFile(folder: string): string {
  return join(folder, elementAt(readdirSync(folder), 0));
}

test('DiskQueue returns unfinished requests in order after a crash, and deletes files whose requests are all done', async () => {
  const folder = createFolder();
  const first = await openQueue(folder);
  for (const text of ['a', 'bb', 'ccc']) assert.ok(first.queue.append(request(text, text.length)));
  assert.deepEqual(first.queue.waiting, { requests: 3, bytes: 6, points: 6 });
  const taken = first.queue.take();
  const second = first.queue.take();
  assert.equal(await textOf(second), 'bb');
  if (second) first.queue.remove(second);
  assert.equal(taken?.points, 1);
  // The process ends here without closing anything.
  const again = await openQueue(folder);
  assert.deepEqual(again.queue.waiting, { requests: 2, bytes: 4, points: 4 });
  const rest = [again.queue.take(), again.queue.take()];
  assert.deepEqual(await Promise.all(rest.map(textOf)), ['a', 'ccc']);
  for (const one of rest) if (one) again.queue.remove(one);
  await again.queue.close();
  await first.queue.close();
  assert.deepEqual(readdirSync(folder), []);
});

test('DiskQueue removes a partly written request, at every byte of it', async () => {
  const whole = createFolder();
  const { queue } = await openQueue(whole);
  queue.append(request('first'));
  const firstEnd = statSync(onlyFile(whole)).size;
  queue.append(request('second'));
  await queue.close();
  const bytes = readFileSync(onlyFile(whole));
  for (let end = firstEnd; end < bytes.length; end++) {
    const folder = createFolder();
    writeFileSync(join(folder, '000000000000.requests'), bytes.subarray(0, end));
    const { queue: reopened, log } = await openQueue(folder);
    reopened.append(request('third'));
    assert.deepEqual(await takeAll(reopened), ['first', 'third'], `cut at ${end}`);
    const cut = end === firstEnd ? 0 : 1;
    assert.equal(log.filter((line) => line.startsWith(`warn: Cut ${end - firstEnd} bytes off`)).length, cut);
    await reopened.close();
    rmSync(folder, { recursive: true });
  }
});

test('DiskQueue does not return a request of which a byte has changed, but returns its neighbours', async () => {
  const folder = createFolder();
  const { queue } = await openQueue(folder);
  for (const text of ['first', 'second', 'third']) queue.append(request(text));
  await queue.close();
  const bytes = readFileSync(onlyFile(folder));
  const file = openSync(onlyFile(folder), 'r+');
  writeSync(file, 'X', bytes.indexOf('second'));
  closeSync(file);
  const { queue: reopened } = await openQueue(folder);
  assert.equal(await textOf(reopened.take()), 'first');
  await assert.rejects(
    async () => textOf(reopened.take()),
    /Cannot read a stored request at byte 37 of .*: expected its checksum, found another/,
  );
  assert.equal(await textOf(reopened.take()), 'third');
  await reopened.close();
});

test('DiskQueue continues after a file with a damaged header, and logs how much is lost', async () => {
  const folder = createFolder();
  const { queue } = await openQueue(folder);
  for (const text of ['first', 'second']) queue.append(request(text));
  await queue.close();
  appendFileSync(join(folder, '000000000005.requests'), 'garbage');
  const { queue: reopened, log } = await openQueue(folder);
  reopened.append(request('third'));
  assert.deepEqual(await takeAll(reopened), ['first', 'second', 'third']);
  assert.match(log.join(), /^warn: Cut 7 bytes off .*000000000005\.requests/);
  assert.deepEqual(readdirSync(folder).toSorted(), ['000000000000.requests', '000000000006.requests']);
  await reopened.close();
});

test('DiskQueue loses only the request whose header is damaged, and logs how many bytes', async () => {
  const folder = createFolder();
  const { queue } = await openQueue(folder);
  // The second one is longer than what is searched at a time.
  for (const text of ['first', 'x'.repeat(150_000), 'third', 'fourth']) queue.append(request(text));
  await queue.close();
  const file = openSync(onlyFile(folder), 'r+');
  // A header has 32 bytes.
  writeSync(file, 'X', 32 + 'first'.length + 8);
  closeSync(file);
  const { queue: reopened, log } = await openQueue(folder);
  assert.deepEqual(await takeAll(reopened), ['first', 'third', 'fourth']);
  assert.equal(log.length, 1);
  assert.match(
    log.join(),
    /^error: Lost what was stored in 150032 bytes of .*000000000000\.requests: expected a request, found damaged/u,
  );
  await reopened.close();
});

test('DiskQueue keeps a limited number of requests in memory while the disk accepts none, and logs one warning', async () => {
  const folder = join(createFolder(), 'queue');
  const { queue, log } = await openQueue(folder);
  rmSync(folder, { recursive: true });
  const large: QueuedRequest = { bytes: new Uint8Array(30 * 1024 ** 2), points: 1 };
  assert.deepEqual([queue.append(large), queue.append(large), queue.append(large)], [true, true, false]);
  assert.equal(log.length, 1);
  assert.match(
    log.join(),
    /^error: Cannot store a request in .*queue: ENOENT.*Keeping up to 64 MiB in memory/,
  );
  mkdirSync(folder);
  assert.ok(queue.append(request('stored')));
  assert.match(log.join(), /info: Recovered, storing requests in .* again$/);
  assert.equal(queue.waiting.requests, 3);
  for (let one = queue.take(); one; one = queue.take()) queue.remove(one);
  assert.ok(queue.append(large) && queue.append(large), 'there is room again');
  await queue.close();
  truncateSync(onlyFile(folder), 0);
});

test('DiskQueue frees the buffers of stored requests, and reads them back from the file', async () => {
  const folder = createFolder();
  const { queue } = await openQueue(folder, { fsync: true });
  let released = 0;
  const large = (): QueuedRequest => ({
    bytes: new Uint8Array(3 * 1024 ** 2).fill(7),
    points: 1,
    release: () => (released += 1),
  });
  for (let i = 0; i < 10; i++) queue.append(large());
  assert.equal(released, 8);
  assert.equal(readdirSync(folder).length, 2, 'a file has 16 MiB');
  const all: StoredRequest[] = [];
  for (let one = queue.take(); one; one = queue.take()) all.push(one);
  const loaded = await Promise.all(all.map(async (one) => one.load()));
  assert.ok(loaded.every(({ bytes }) => bytes.length === 3 * 1024 ** 2 && bytes.every((byte) => byte === 7)));
  for (const one of all) queue.remove(one);
  await queue.close();
  assert.deepEqual(readdirSync(folder), []);
});

test('DiskQueue reports requests that are older than max_age', async () => {
  const folder = createFolder();
  const { queue } = await openQueue(folder);
  queue.append(request('old'));
  await queue.close();
  const young = await openQueue(folder, { maxAgeMs: 3_600_000 });
  assert.equal(young.queue.take()?.isExpired, false);
  await young.queue.close();
  const old = await openQueue(folder, { maxAgeMs: -1 });
  assert.equal(old.queue.take()?.isExpired, true);
  await old.queue.close();
});
