import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { CountedEvent, EventGroup } from './counted-event.js';
import { PerfEventError } from './event.js';
import { createFakePmus, serverPmus } from './fake-sysfs.fixture.js';
import { parseEvents } from './grammar.js';
import { fitGroups, type EventProbe } from './groups.js';
import { adaptToRights } from './place.js';
import { resolveEvents } from './resolve.js';

/** A PMU with this many counters that does not know "bus-cycles", and forbids the kernel to the unprivileged. */
class FakePmu implements EventProbe {
  readonly open = (event: CountedEvent, leaderFd: number): number => {
    // In the kernel's order.
    if (this.#isForbidden(event)) throw refuse(event, 'EACCES');
    if (event.name === 'bus-cycles') throw refuse(event, 'ENOENT');
    const leader = leaderFd === -1 ? this.#nextFd : leaderFd;
    const size = (this.#sizes.get(leader) ?? 0) + (event.isSoftware ? 0 : 1);
    if (size > this.#counters) throw refuse(event, 'EINVAL');
    this.#sizes.set(leader, size);
    this.#openFds.add(this.#nextFd);
    return this.#nextFd++;
  };
  readonly #counters: number;
  readonly #mayCountKernel: boolean;
  readonly #sizes = new Map<number, number>();
  readonly #openFds = new Set<number>();
  #nextFd = 10;

  constructor(counters: number, mayCountKernel = true) {
    this.#counters = counters;
    this.#mayCountKernel = mayCountKernel;
  }

  get stillOpen(): number {
    return this.#openFds.size;
  }

  close(fd: number): void {
    this.#openFds.delete(fd);
  }

  #isForbidden({ modifiers }: CountedEvent): boolean {
    return !this.#mayCountKernel && modifiers.excludeKernel !== true;
  }
}

function refuse({ name }: CountedEvent, code: string): PerfEventError {
  return new PerfEventError(`Cannot open perf event "${name}" on cpu 0: ${code}`, code);
}

const resolve = (text: string) =>
  resolveEvents(parseEvents(text), { sysfs: createFakePmus(serverPmus) }).groups;

const namesOf = ({ groups }: ReturnType<typeof fitGroups>) =>
  groups.map(({ events }) => events.map(({ name }) => name));

test('fitGroups counts together what the PMU takes together, software apart', () => {
  const pmu = new FakePmu(2);
  const groups = resolve('cycles,cs,instructions,branches,task-clock,r1a8,energy-pkg');
  const fit = fitGroups(groups, pmu);
  assert.deepEqual(namesOf(fit), [
    ['cycles', 'instructions'],
    ['branches', 'r1a8'],
    ['cs', 'task-clock'],
    ['energy-pkg'],
  ]);
  assert.deepEqual(fit.refused, []);
  assert.equal(pmu.stillOpen, 0);
});

test('fitGroups refuses what cannot be counted alone, and reports why', () => {
  const fit = fitGroups(resolve('bus-cycles,cycles,instructions'), new FakePmu(4));
  assert.deepEqual(namesOf(fit), [['cycles', 'instructions']]);
  assert.deepEqual(
    fit.refused.map(({ event, code, reason }) => [event.name, code, reason]),
    [['bus-cycles', 'ENOENT', 'Cannot open perf event "bus-cycles" on cpu 0: ENOENT']],
  );
});

test('fitGroups keeps a group in braces together or refuses all of it', () => {
  const fit = fitGroups(resolve('{cycles,instructions,branches},{cs,r1a8}'), new FakePmu(2));
  assert.deepEqual(namesOf(fit), [['cs', 'r1a8']]);
  assert.deepEqual(
    fit.refused.map(({ event, reason }) => [event.name, reason]),
    [
      [
        'cycles',
        'Cannot count event "cycles" in its group: Cannot open perf event "branches" on cpu 0: EINVAL',
      ],
      [
        'instructions',
        'Cannot count event "instructions" in its group: Cannot open perf event "branches" on cpu 0: EINVAL',
      ],
      ['branches', 'Cannot open perf event "branches" on cpu 0: EINVAL'],
    ],
  );
});

test('fitGroups makes groups no larger than the maximum', () => {
  const fit = fitGroups(resolve('cycles,instructions,branches'), new FakePmu(8), 2);
  assert.deepEqual(namesOf(fit), [['cycles', 'instructions'], ['branches']]);
});

/** Events of one PMU. */
function createEvents(count: number): readonly EventGroup[] {
  const text = Array.from({ length: count }, (_, i) => `r${i.toString(16)}`).join(',');
  return resolveEvents(parseEvents(text), { sysfs: '/nowhere' }).groups;
}

const refuseAll = (event: CountedEvent) => {
  throw refuse(event, 'ENOENT');
};

test('fitGroups tries each of many events a few times only, whether they fit or not', () => {
  const count = 2000;
  const groups = createEvents(count);
  const pmu = new FakePmu(8);
  let tries = 0;
  const counting = (open: EventProbe['open']): EventProbe => ({
    open: (event, leader) => {
      tries++;
      return open(event, leader);
    },
    close: (fd) => pmu.close(fd),
  });
  assert.equal(fitGroups(groups, counting(pmu.open)).groups.length, count / 8);
  assert.ok(tries < 4 * count, `${tries} tries`);
  tries = 0;
  assert.equal(fitGroups(groups, counting(refuseAll)).refused.length, count);
  assert.equal(tries, count);
});

test('fitGroups leaves nothing open after an unexpected error', () => {
  const pmu = new FakePmu(8);
  const open: EventProbe['open'] = (event, leader) => {
    if (event.name === 'branches') throw new RangeError('unexpected');
    return pmu.open(event, leader);
  };
  const probe = { open, close: (fd: number) => pmu.close(fd) };
  assert.throws(() => fitGroups(resolve('cycles,instructions,branches'), probe), RangeError);
  assert.equal(pmu.stillOpen, 0);
});

test('adaptToRights leaves out the kernel where it is forbidden, unless a setting asks for it', () => {
  const groups = resolve('cycles,page-faults:k,cs,bus-cycles');
  const { groups: rightful, userOnly } = adaptToRights(groups, new FakePmu(4, false));
  const modifiers = rightful.flatMap(({ events }) => events.map((event) => event.modifiers));
  assert.deepEqual(modifiers, [
    { excludeKernel: true, excludeHypervisor: true },
    { excludeUser: true, excludeHypervisor: true },
    {},
    { excludeKernel: true, excludeHypervisor: true },
  ]);
  assert.deepEqual(userOnly, ['cycles']);
  assert.deepEqual(adaptToRights(groups, new FakePmu(4)), { groups, userOnly: [] });
});
