import { test, type TestContext } from 'node:test';
import { createMeterReader } from '../../src/component/fakes.js';
import { checkLiveFault, checkLiveReset, type LiveFault } from '../../src/scraping/live-faults.fixture.js';
import { startReceiver } from '../../src/scraping/running-receiver.fixture.js';
import { createRandom } from '../../src/testing/random.fixture.js';
import { factory } from './factory.js';
import { integer, noSnmp, type Agent } from './snmp-agent.fixture.js';
import { apc, openApc } from './snmp-rig.fixture.js';

/** Two devices; the first one is damaged. */
async function openRig(t: TestContext) {
  const [agent, other] = [await openApc(t), await openApc(t, '127.0.0.2')];
  const meter = createMeterReader();
  const settings = {
    collection_interval: '100ms',
    timeout: '100ms',
    endpoints: [agent, other].map(({ endpoint }) => ({ endpoint })),
  };
  const running = await startReceiver(t, factory, settings, { meter: meter.meter });
  return { agent, running: [running], meter, isSubject: (name: string) => name.includes('127.0.0.1') };
}

async function check(t: TestContext, openFault: (agent: Agent) => LiveFault): Promise<void> {
  const { agent, ...rig } = await openRig(t);
  await checkLiveFault(rig, openFault(agent));
}

const { whole } = createRandom(7);
const silence = /Cannot read 127\.0\.0\.1:\d+: expected an answer within 100 ms, 3 times, found none/u;
const noAnswer =
  /Cannot read 127\.0\.0\.1:\d+: expected an answer within 100 ms, 3 times, found (?:none|what is none)|Requested OIDs do not match response OIDs/u;

/** How each response is damaged, and the expected log lines. */
const damages: Readonly<Record<string, readonly [Agent['damage'], RegExp]>> = {
  truncated: [(answer) => answer.subarray(0, answer.length / 2), noAnswer],
  empty: [() => Buffer.of(), noAnswer],
  garbage: [(answer) => Buffer.from(answer.map(() => whole(256))), noAnswer],
};

for (const [name, [damage, problem]] of Object.entries(damages)) {
  test(`snmp withstands answers with the fault "${name}", and reads another device`, { skip: noSnmp }, (t) =>
    check(t, (agent) => ({
      begin: () => (agent.damage = damage),
      end: () => (agent.damage = (answer) => answer),
      problems: [problem],
    })),
  );
}

test('snmp withstands a device that answers too late, and reads another one', { skip: noSnmp }, (t) =>
  check(t, (agent) => ({
    begin: () => (agent.delayMs = 1000),
    end: () => (agent.delayMs = 0),
    problems: [silence],
  })),
);

test('snmp withstands a device that is switched off, and reads another one', { skip: noSnmp }, (t) =>
  check(t, (agent) => ({
    begin: () => agent.close(),
    end: () => agent.open(),
    problems: [silence],
  })),
);

test(
  'snmp withstands a device that takes its community no longer, and reads another one',
  { skip: noSnmp },
  (t) =>
    check(t, (agent) => ({
      begin: () => (agent.community = 'secret'),
      end: () => (agent.community = 'public'),
      problems: [silence],
    })),
);

test(
  'snmp withstands the reset of an energy counter of a device, and reads another one',
  { skip: noSnmp },
  async (t) => {
    const { agent, ...rig } = await openRig(t);
    const counter = /^hw\.meter\.energy .*127\.0\.0\.1\/outlet:1(?: |$)/u;
    const reset = () => agent.objects.set(`${apc}.9.4.3.1.11.1`, integer(3));
    await checkLiveReset(rig, (name) => counter.test(name), reset);
  },
);
