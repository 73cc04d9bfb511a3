import type { PerfEvent } from './event.js';

/** The modifiers after an event's colon: what is excluded, and how it is counted. Absent flags are off. */
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

/** Whether a text consists only of modifier letters of perf-list(1). */
export function isModifiers(text: string): boolean {
  return letters.test(text) && (text.match(/p/g)?.length ?? 0) <= mostPrecise;
}

/**
 * Parses modifiers like perf: `u`, `k`, `h` select privilege levels and exclude the others; `G`, `H` likewise
 * guests and host; `I` excludes the idle task; `p` to `ppp` and `P` request low skid; `D` pins the event, `e`
 * makes it exclusive. `S` and `W` do not affect counting.
 * @param text for which `isModifiers` is true
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

/** Whether they select privilege levels: then no other exclusion is added. */
export function hasPrivilege({ excludeUser, excludeKernel, excludeHypervisor }: EventModifiers): boolean {
  return excludeUser === true || excludeKernel === true || excludeHypervisor === true;
}
