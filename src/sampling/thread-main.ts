import { setFlagsFromString } from 'node:v8';
import { receiveMessageOnPort, workerData, type MessagePort } from 'node:worker_threads';
import type { OpenSampler } from '../component/sampling.js';
import { describeError } from '../errors.js';
import { createSteadyRead, readClocks, type ClockReading } from '../linux/clocks.js';
import { sharpenTimers } from '../linux/thread.js';
import { WakeSignal } from '../linux/wake-signal.js';
import { RealTimeGuard } from './real-time-guard.js';
import { SamplerSlot, type Outlet } from './sampler-slot.js';
import { findNext } from './schedule.js';
import type { Command, OpenCommand, RowsMessage, ThreadMessage, ThreadOptions } from './thread-connection.js';

/** Maximum bytes of rows on their way to a busy main thread. */
const maxBytesUnderway = 64 * 2 ** 20;

/**
 * Makes V8 collect the young generation on the thread that allocates: it has only a few KiB, which takes 0.3
 * ms. V8's helper threads have ordinary scheduling: on a busy machine a real-time thread would wait 6 ms for
 * them. Applies to all threads of the process.
 */
function collectWithoutHelpers(): void {
  setFlagsFromString('--no-parallel-scavenge');
}

/** The main loop of a sampling thread, from its start to the `end` command. */
class SamplingLoop implements Outlet {
  readonly #port: MessagePort;
  readonly #signal: WakeSignal;
  readonly #taken: Int32Array<SharedArrayBuffer>;
  readonly #guard = new RealTimeGuard((level, message) => this.post({ type: 'note', level, message }));
  readonly #slots = new Map<number, SamplerSlot>();
  readonly #readClocks: () => ClockReading;
  #sentBytes = 0;

  constructor({ port, signal, taken, wallOffsetNs }: ThreadOptions) {
    this.#port = port;
    this.#signal = new WakeSignal(signal);
    this.#taken = new Int32Array(taken);
    this.#readClocks = wallOffsetNs === undefined ? readClocks : createSteadyRead(wallOffsetNs);
  }

  async run(): Promise<void> {
    sharpenTimers();
    collectWithoutHelpers();
    for (;;) {
      const known = this.#signal.count;
      for (let command = this.#receive(); command !== undefined; command = this.#receive()) {
        if (command.type === 'end') return;
        await this.#obey(command);
      }
      this.#sample(known);
    }
  }

  post(message: ThreadMessage): void {
    this.#port.postMessage(message, []);
  }

  postRows(message: RowsMessage): boolean {
    this.#guard.check();
    const { offsets, values } = message.rows;
    const sentBytes = (this.#sentBytes + offsets.byteLength + values.byteLength) | 0;
    if (((sentBytes - Atomics.load(this.#taken, 0)) | 0) > maxBytesUnderway) return false;
    this.#sentBytes = sentBytes;
    this.#port.postMessage(message, [offsets.buffer, values.buffer]);
    return true;
  }

  #receive(): Command | undefined {
    // The main thread sends only messages of this type.
    const found: { message: Command } | undefined = receiveMessageOnPort(this.#port);
    return found?.message;
  }

  async #obey(command: Exclude<Command, { type: 'end' }>): Promise<void> {
    const { type, id } = command;
    if (type === 'open') {
      await this.#open(command);
      return;
    }
    const slot = this.#slots.get(id);
    if (type === 'flush') slot?.flush();
    else if (type === 'update') slot?.update(command.options);
    else if (type === 'pause') this.#adaptAfter(() => slot?.pause());
    else if (type === 'resume') this.#adaptAfter(() => slot?.resume());
    else if (type === 'period') this.#adaptAfter(() => slot?.setPeriod(command.periodNs));
    else this.#close(id, slot);
    this.post({ type: 'done', id });
  }

  async #open(command: OpenCommand): Promise<void> {
    const { id } = command;
    try {
      const slot = await this.#createSlot(command);
      if (command.again) slot.openAgain();
      else slot.open();
      if (command.isPaused) slot.pause();
      this.#slots.set(id, slot);
      this.#adapt();
      this.post({ type: 'opened', id });
    } catch (error) {
      this.post({ type: 'refused', id, message: describeError(error) });
    }
  }

  async #createSlot({ id, module, options, periodNs, flushNs }: OpenCommand): Promise<SamplerSlot> {
    // A sampler's module exports this function; a receiver specifies only its own module.
    const { openSampler } = (await import(module)) as { openSampler: OpenSampler };
    const slot = { id, periodNs, flushNs, options, open: openSampler, readClocks: this.#readClocks };
    return new SamplerSlot(slot, this);
  }

  #close(id: number, slot: SamplerSlot | undefined): void {
    slot?.close();
    this.#slots.delete(id);
    this.#adapt();
  }

  #adaptAfter(change: () => void): void {
    change();
    this.#adapt();
  }

  #adapt(): void {
    this.#guard.adapt(Math.min(...[...this.#slots.values()].map((slot) => slot.periodNs)));
  }

  /** Takes the readings that are due until there are commands. */
  #sample(known: number): void {
    const slots = [...this.#slots.values()];
    for (;;) {
      const slot = findNext(slots);
      if (slot === undefined) this.#signal.wait(known);
      else this.#signal.waitUntil(slot.timer, known);
      if (slot === undefined || this.#signal.isRaised(known)) return;
      slot.tick();
    }
  }
}

// The main thread starts this module with these options.
await new SamplingLoop(workerData as ThreadOptions).run();
// The end of the module is not enough: resources that a sampler left open would keep the thread running.
process.exit();
