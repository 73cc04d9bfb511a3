import { setFlagsFromString } from 'node:v8';

/**
 * Keeps V8 from doubling the space in which objects are made. An agent makes little, but steadily: V8 would double
 * that space to 2 x 16 MiB, give it back at the next full collection, some minutes later, and begin anew, so that
 * resident memory would rise and fall by 30 MiB. To be called when everything is loaded.
 */
export function stopHeapGrowth(): void {
  setFlagsFromString('--semi-space-growth-factor=1');
}
