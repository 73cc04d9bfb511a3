import type { ReceiverContext } from '../component/component.js';
import { createMeterReader } from '../component/fakes.js';
import { checkLiveFault, type LiveRig } from './live-faults.fixture.js';
import type { RunningReceiver } from './running-receiver.fixture.js';

/** A number in shared memory: 1 while calls of a source hang. */
export class Gate {
  readonly number = new Int32Array(new SharedArrayBuffer(4));

  close(): void {
    Atomics.store(this.number, 0, 1);
  }

  open(): void {
    Atomics.store(this.number, 0, 0);
    Atomics.notify(this.number, 0);
  }
}

/** Starts a receiver that reads often. */
export type StartReceiver = (overrides: Partial<ReceiverContext>) => Promise<RunningReceiver>;

/** A source that hangs. */
export interface Hang extends Pick<LiveRig, 'isSubject' | 'ignored' | 'maxTotal'> {
  begin(): unknown;
  end(): unknown;
}

/**
 * Lets the source of the first one of two receivers hang for longer than the time limit of its thread, which is
 * 10 s, and checks what `checkLiveFault` checks.
 */
export async function checkHang(
  starts: readonly StartReceiver[],
  { begin, end, ...hang }: Hang,
): Promise<void> {
  const meter = createMeterReader();
  const running: RunningReceiver[] = [];
  for (const start of starts) running.push(await start({ meter: meter.meter }));
  const problem =
    /Cannot read .*: expected an answer (?:from the driver, found none within \d+ s|within \d+ ms, found none)/u;
  await checkLiveFault({ running, meter, ...hang }, { begin, end, problems: [problem] });
}
