import { mkdirSync, symlinkSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import type { TestContext } from 'node:test';
import { setImmediate } from 'node:timers/promises';
import { freeClaims, type Claims } from '../component/claims.js';
import type { ReceiverFactory } from '../component/component.js';
import type { Consumer } from '../component/consumer.js';
import { createFakeContext, createLogCollector, createTableCollector } from '../component/fakes.js';
import type { Schema } from '../component/schema.js';
import { parseSettings } from '../config/settings.js';
import { FakeDrm } from '../linux/drm-clients.fixture.js';
import type { Series } from '../model/series.js';
import { writeFiles } from '../scraping/source.fixture.js';
import { createFolder } from '../testing/temporary-folder.fixture.js';

/** File contents by path; a line end is added to each. */
type Files = Readonly<Record<string, string | number>>;

/** A fake sysfs with cards. */
export class FakeCards {
  readonly sysfs = createFolder();

  /**
   * Adds a card.
   * @param files below its device, including those of `hwmon/hwmonN`
   */
  add(
    index: number,
    { address, driver }: { readonly address: string; readonly driver: string },
    files: Files,
  ): void {
    const device = join(this.sysfs, `devices/pci0000:00/${address}`);
    mkdirSync(device, { recursive: true });
    mkdirSync(join(this.sysfs, `class/drm/card${index}`), { recursive: true });
    symlinkSync(device, join(this.sysfs, `class/drm/card${index}/device`));
    symlinkSync(`../../../bus/pci/drivers/${driver}`, join(device, 'driver'));
    this.write(index, files);
  }

  write(index: number, files: Files): void {
    const lines = Object.entries(files).map(([path, value]): [string, string] => [path, `${value}\n`]);
    writeFiles(join(this.sysfs, `class/drm/card${index}/device`), Object.fromEntries(lines));
  }

  /** The path of a card's file, for content other than text. */
  pathOf(index: number, path: string): string {
    const file = join(this.sysfs, `class/drm/card${index}/device`, path);
    mkdirSync(dirname(file), { recursive: true });
    return join(dirname(file), basename(file));
  }
}

/** How a receiver of cards is started. */
export interface CardRigOptions {
  readonly cards: FakeCards;
  readonly drm?: FakeDrm;
  readonly settings?: object;
  readonly claims?: Claims;
  /** Receives every table, too. */
  readonly next?: Consumer;
}

/** Starts a receiver of cards with an interval of an hour, so that only the test triggers readings. */
export async function startCardRig<S extends Schema>(
  t: TestContext,
  factory: ReceiverFactory<S>,
  { cards, drm = new FakeDrm(), settings = {}, claims = freeClaims, next: other }: CardRigOptions,
) {
  const next = createTableCollector();
  const log = createLogCollector();
  const config = parseSettings(factory.schema, {
    sysfs: cards.sysfs,
    procfs: drm.procfs,
    collection_interval: '1h',
    ...settings,
  });
  const both: Consumer = { consume: (table) => next.consume(table) && (other?.consume(table) ?? true) };
  const receiver = factory.create(config, createFakeContext({ log, claims }), both);
  t.after(() => receiver.shutdown());
  await receiver.start();
  // Lets the loop take its first reading; all others are requested by the test.
  await setImmediate();
  const read = async (): Promise<Record<string, number>> => {
    next.tables.length = 0;
    await receiver.flush?.();
    const rows = next.tables.flatMap(({ series, values }) =>
      series.map((one, i): [string, number] => [describeSeries(one), values[i] ?? NaN]),
    );
    return Object.fromEntries(rows);
  };
  return {
    receiver,
    next,
    log,
    read,
    seriesOf: (name: string) => next.last(name).map(({ series }) => series),
  };
}

/** The metric, and what distinguishes its series: `hw.temperature 0000:03:00.0/temperature-edge edge`. */
function describeSeries({ metric, attributes, resource }: Series): string {
  const names = [
    'hw.id',
    'hw.gpu.task',
    'hw.sensor_location',
    'hw.gpu.clock.domain',
    'hw.gpu.throttle.reason',
    'hw.state',
    'hw.limit_type',
  ];
  const values = names.flatMap((name) => attributes[name] ?? []);
  const pid = resource.attributes['process.pid'];
  return [metric.name, ...(pid === undefined ? [] : [pid]), ...values].join(' ');
}
