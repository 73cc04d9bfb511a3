import type { TestContext } from 'node:test';
import type { ReceiverContext } from '../../src/component/component.js';
import type { Consumer } from '../../src/component/consumer.js';
import {
  createFakeContext,
  createLogCollector,
  createMeterReader,
  createTableCollector,
} from '../../src/component/fakes.js';
import { Intake, type IntakeOptions } from './intake.js';
import { encodeRequest, listTables, type Described } from './request.fixture.js';

/** For tests: creates an intake and everything it requires. */
export function createIntake(
  t: TestContext,
  options: Partial<IntakeOptions> = {},
  context: Partial<ReceiverContext> = {},
  next?: Consumer,
) {
  const collector = createTableCollector();
  const log = createLogCollector();
  const { meter, read } = createMeterReader();
  const intake = new Intake(
    { maxSeries: 1000, expiryMs: 60_000, ...options },
    createFakeContext({ id: 'otlp', log, meter, ...context }),
    next ?? collector,
  );
  intake.start();
  t.after(() => intake.shutdown());
  return {
    intake,
    collector,
    log,
    read,
    /** Sends metrics and returns the outcome. */
    send: (...metrics: readonly Described[]) => intake.take(encodeRequest({ metrics })),
    /** Returns what has arrived since the last call. */
    list: () => listTables(collector.tables.splice(0)),
  };
}
