import { getHeapStatistics, setFlagsFromString } from 'node:v8';

/**
 * Where processes come and go, what lives on lies scattered over more and more pages, unless a full collection, of
 * which there are two a minute at most, moves it together. From version 12 on (Node 22), V8 keeps the pages that this
 * empties in a pool, which it gives back only when the process is idle for long: of an agent with 40 new processes a
 * second, 141 MB instead of 105 are resident on Node 22, and 114 instead of 106 on Node 24. On Node 20 it is 75
 * instead of 85 MB.
 */
const isCompactionFree = Number.parseInt(process.versions.v8, 10) < 12;

/** Whether full collections are to be rare, for every thread that begins. */
let isPunctual = false;

/**
 * Lets the space of old objects grow again, so that full collections are rare, for all threads of the process. Each holds its
 * thread for 30 ms and more on a machine that does something else: at 10 kHz a sampling thread missed some hundred ticks
 * every 3 s, and a page waited. What is read that often needs the few megabytes more.
 */
export function avoidFullCollections(): void {
  isPunctual = true;
  setFlagsFromString('--no-optimize-for-size');
  if (isCompactionFree) setFlagsFromString('--no-compact-on-every-full-gc');
}

/**
 * Keeps resident memory flat. An agent makes little, but steadily. V8 would double the space for new objects to
 * 2 x 16 MiB, give it back at the next full collection, some minutes later, and start again: 30 MiB up and down. To be
 * called before components are loaded: that, too, would double the space, until V8 finds the agent idle, perhaps
 * minutes later. Loading takes no longer for it. To be called again whenever a thread has begun: V8 takes growth by
 * less than 2 for none wanted when it makes a heap.
 *
 * `--optimize-for-size` lets the space of old objects grow by 30 % between two full collections, not by up to 300 %:
 * with 40 new processes a second, private memory is 33 MB instead of 39 on Node 20 and 44 instead of 54 on Node 24
 * (means of 100 s), and CPU time is the same within 6 %.
 */
export function stopHeapGrowth(): void {
  setFlagsFromString('--semi-space-growth-factor=1');
  if (isPunctual) return;
  setFlagsFromString('--optimize-for-size');
  limitCompaction();
}

/** Most agents have a smaller heap: this one is of some 8,000 processes. */
const maxCompactedBytes = 32 * 2 ** 20;

/**
 * Lets full collections move together what lives on only while that is little. The pages that it came from are freed at
 * the end: with 10,000 processes, private memory was 126 instead of 80 MB for a moment every 11 s, and its mean the same.
 * To be called again when the heap may have grown.
 */
export function limitCompaction(): void {
  if (!isCompactionFree || isPunctual) return;
  const isLittle = getHeapStatistics().used_heap_size < maxCompactedBytes;
  setFlagsFromString(isLittle ? '--compact-on-every-full-gc' : '--no-compact-on-every-full-gc');
}
