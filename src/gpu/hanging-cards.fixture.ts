import { test, type TestContext } from 'node:test';
import { checkHang, Gate, type StartReceiver } from '../scraping/hanging-thread.fixture.js';
import { startReceiver } from '../scraping/running-receiver.fixture.js';
import { createFolder } from '../testing/temporary-folder.fixture.js';
import { createCardFactory, type CardReceiver } from './card-receiver.js';
import type { cardSettings } from './card-settings.js';
import { FakeCards } from './fake-cards.fixture.js';

/** A kind of cards in a test. */
export interface HangingCards<S extends typeof cardSettings> {
  readonly receiver: CardReceiver<S>;
  /** The kernel module. */
  readonly driver: string;
  /** Files of a card, see `FakeCards`. */
  readonly files: Readonly<Record<string, string | number>>;
  /** Maximum power in watts, if energy is integrated. */
  readonly watts?: number;
}

/** Tests a receiver of cards while the driver of one of two does not answer. @param what for the title: `xe cards` */
export function testHangingCards<S extends typeof cardSettings>(what: string, cards: HangingCards<S>): void {
  test(`${what} withstand a driver that does not answer`, async (t) => {
    const [gate, openGate] = [new Gate(), new Gate()];
    t.after(() => gate.open());
    const beganMs = performance.now();
    const { watts } = cards;
    await checkHang([startWith(t, cards, gate, 3), startWith(t, cards, openGate, 4)], {
      begin: () => gate.close(),
      end: () => gate.open(),
      isSubject: (name) => name.includes('0000:03:00.0'),
      // By the clock of the receiver.
      ignored: /hw\.gpu\.(?:time|throttle\.time)/u,
      ...(watts !== undefined && { maxTotal: () => (watts * (performance.now() - beganMs)) / 1000 }),
    });
  });
}

function startWith<S extends typeof cardSettings>(
  t: TestContext,
  { receiver, driver, files }: HangingCards<S>,
  gate: Gate,
  bus: number,
): StartReceiver {
  const cards = new FakeCards();
  cards.add(0, { address: `0000:0${bus}:00.0`, driver }, files);
  const factory = createCardFactory({
    ...receiver,
    module: new URL('../scraping/gated-thread.fixture.js', import.meta.url),
    threadOptions: (config) => ({
      ...receiver.threadOptions?.(config),
      gate: gate.number,
      module: receiver.module.href,
    }),
  });
  const settings = { sysfs: cards.sysfs, procfs: createFolder(), collection_interval: '100ms' };
  return (overrides) => startReceiver(t, factory, settings, overrides);
}
