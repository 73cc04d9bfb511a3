import { setFlagsFromString } from 'node:v8';

/**
 * Keeps resident memory flat. An agent makes little, but steadily. V8 would double the space for new objects to
 * 2 x 16 MiB, give it back at the next full collection, some minutes later, and begin anew: 30 MiB up and down. And
 * where processes come and go, what lives on lies scattered over more and more pages, unless a full collection, of
 * which there are two a minute at most, moves it together. To be called before components are loaded: that, too,
 * would double the space, until V8 finds the agent idle, perhaps minutes later. Loading takes no longer for it. To be
 * called again whenever a thread has begun: V8 takes growth by less than 2 for none wanted when it makes a heap.
 */
export function stopHeapGrowth(): void {
  setFlagsFromString('--semi-space-growth-factor=1');
  setFlagsFromString('--compact-on-every-full-gc');
}
