import type { PerfEvent } from './event.js';

/** What stands behind an event's colon: what is left out and how it is counted. What is absent is off. */
export type EventModifiers = Pick<
  PerfEvent,
  | 'excludeUser'
  | 'excludeKernel'
  | 'excludeHypervisor'
  | 'excludeIdle'
  | 'excludeHost'
  | 'excludeGuest'
  | 'preciseIp'
  | 'isPinned'
  | 'isExclusive'
>;

const letters = /^[ukhIGHpPSDWe]+$/;
const mostPrecise = 3;

/** Whether a text is nothing but letters that perf-list(1) knows as modifiers. */
export function isModifiers(text: string): boolean {
  return letters.test(text) && (text.match(/p/g)?.length ?? 0) <= mostPrecise;
}

/**
 * Understands modifiers as perf does: `u`, `k`, `h` name what is counted and leave out the others of them; `G`, `H`
 * likewise guests and host; `I` leaves out the idle task; `p` to `ppp` and `P` ask for little skid; `D` pins the
 * event, `e` makes it exclusive. `S` and `W` say nothing about counting.
 * @param text of which `isModifiers` is true
 */
export function parseModifiers(text: string): EventModifiers {
  const has = (letter: string): boolean => text.includes(letter);
  const isPrivilege = /[ukh]/.test(text);
  const isSide = /[GH]/.test(text);
  const precise = has('P') ? mostPrecise : (text.match(/p/g)?.length ?? 0);
  return {
    ...(isPrivilege && !has('u') && { excludeUser: true }),
    ...(isPrivilege && !has('k') && { excludeKernel: true }),
    ...(isPrivilege && !has('h') && { excludeHypervisor: true }),
    ...(has('I') && { excludeIdle: true }),
    ...(isSide && !has('H') && { excludeHost: true }),
    ...(isSide && !has('G') && { excludeGuest: true }),
    ...(precise > 0 && { preciseIp: precise }),
    ...(has('D') && { isPinned: true }),
    ...(has('e') && { isExclusive: true }),
  };
}

/** Whether they name privilege levels: then no other is added. */
export function hasPrivilege({ excludeUser, excludeKernel, excludeHypervisor }: EventModifiers): boolean {
  return excludeUser === true || excludeKernel === true || excludeHypervisor === true;
}
