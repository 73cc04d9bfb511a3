import type { ComponentStatus } from '../component/agent-control.js';
import type { Log } from '../component/log.js';
import { describeError } from '../errors.js';
import { NotifySocket } from '../linux/notify-socket.js';

/** Settings of a service manager for a service that notifies it: sd_notify(3), sd_watchdog_enabled(3). */
interface NotifySettings {
  readonly socket: string | undefined;
  /** It restarts a process that has not notified it for this many milliseconds; undefined: no watchdog. */
  readonly watchdogMs: number | undefined;
}

const retryMs = 50;

/** Notifies systemd, or a compatible service manager, of the state of this process. Without one, does nothing. */
export class ServiceManager {
  readonly #log: Log;
  readonly #socket: NotifySocket | undefined;
  readonly #watchdogMs: number | undefined;
  readonly #waiting: string[] = [];
  #watch: NodeJS.Timeout | undefined;
  #retry: NodeJS.Timeout | undefined;
  #status = '';
  #isLate = false;
  #hasFailed = false;

  /** Removes its variables from the environment, so that no child process notifies in its name. */
  constructor(log: Log, env: NodeJS.ProcessEnv = process.env) {
    const { socket, watchdogMs } = takeSettings(env);
    this.#log = log;
    this.#watchdogMs = watchdogMs;
    this.#socket = socket === undefined ? undefined : this.#connect(socket);
  }

  /**
   * Everything is running, at the start or after a reload.
   * @param status for people: `systemctl status` shows it
   */
  ready(status: string): void {
    this.#send('READY=1', status);
  }

  /** The configuration is being read again; `ready` follows. */
  reloading(): void {
    const microseconds = process.hrtime.bigint() / 1000n;
    this.#send(`RELOADING=1\nMONOTONIC_USEC=${microseconds}`, 'Reading the configuration again');
  }

  /** A shutdown has begun. */
  stopping(status: string): void {
    this.#send('STOPPING=1', status);
  }

  /** Shows a status for people, unless it is already shown. */
  show(status: string): void {
    if (status !== this.#status) this.#send(undefined, status);
  }

  /**
   * Notifies a watchdog from now on, at half of its period, as long as the main thread runs and this process
   * makes progress.
   * @param findStall describes why it makes none; undefined if it does
   */
  watch(findStall: () => string | undefined): void {
    if (this.#socket === undefined || this.#watchdogMs === undefined) return;
    this.#watch = setInterval(() => this.#report(findStall()), Math.max(1, this.#watchdogMs / 2)).unref();
    this.#log.info(`The service manager restarts this agent after ${this.#watchdogMs} ms without progress`);
  }

  close(): void {
    clearInterval(this.#watch);
    clearTimeout(this.#retry);
    this.#socket?.close();
  }

  #report(stall: string | undefined): void {
    if (stall === undefined && this.#waiting.length === 0) this.#send('WATCHDOG=1');
    else if (stall !== undefined && !this.#isLate) this.#log.error(`Not notifying the watchdog: ${stall}`);
    this.#isLate = stall !== undefined;
  }

  #connect(name: string): NotifySocket | undefined {
    try {
      return NotifySocket.connect(name);
    } catch (error) {
      this.#log.warn(
        `${describeError(error)}; the service manager will assume that this agent did not start`,
      );
      return undefined;
    }
  }

  #send(state: string | undefined, status?: string): void {
    if (status !== undefined) this.#status = status;
    const line = status === undefined ? [] : [`STATUS=${status.replaceAll(/\s+/gu, ' ')}`];
    this.#waiting.push([...(state === undefined ? [] : [state]), ...line].join('\n'));
    this.#sendWaiting();
  }

  /** Notifications that the service manager has no room for are sent later, in order. */
  #sendWaiting(): void {
    clearTimeout(this.#retry);
    for (let text = this.#waiting[0]; text !== undefined; text = this.#waiting[0]) {
      const code = this.#socket?.send(text);
      if (code === 'EAGAIN') {
        this.#retry = setTimeout(() => this.#sendWaiting(), retryMs).unref();
        return;
      }
      this.#waiting.shift();
      if (code !== undefined && !this.#hasFailed)
        this.#log.warn(`Cannot notify the service manager: ${code}`);
      this.#hasFailed = code !== undefined;
    }
  }
}

function takeSettings(env: NodeJS.ProcessEnv): NotifySettings {
  const { NOTIFY_SOCKET: socket, WATCHDOG_USEC: microseconds = '', WATCHDOG_PID: pid } = env;
  for (const name of ['NOTIFY_SOCKET', 'WATCHDOG_USEC', 'WATCHDOG_PID']) delete env[name];
  // A child process that inherits the variables is not watched.
  const isWatched = /^[1-9]\d*$/u.test(microseconds) && (pid === undefined || Number(pid) === process.pid);
  return {
    socket: socket === '' ? undefined : socket,
    watchdogMs: isWatched ? Number(microseconds) / 1000 : undefined,
  };
}

/** For people: `Measuring with 3 receivers; failing: exporter otlp_grpc`. */
export function describeStates(components: readonly ComponentStatus[]): string {
  const receivers = components.filter(({ kind, state }) => kind === 'receiver' && state !== 'disabled');
  const listIn = (state: ComponentStatus['state']) =>
    components.filter((one) => one.state === state).map(({ kind, id }) => `${kind} ${id}`);
  const [paused, failing] = [listIn('paused'), listIn('failed')];
  return [
    `Measuring with ${receivers.length} ${receivers.length === 1 ? 'receiver' : 'receivers'}`,
    ...(paused.length > 0 ? [`paused: ${paused.join(', ')}`] : []),
    ...(failing.length > 0 ? [`failing: ${failing.join(', ')}`] : []),
  ].join('; ');
}
