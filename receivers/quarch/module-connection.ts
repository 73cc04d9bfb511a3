import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import type { Endpoint } from '../../src/config/endpoint.js';

/** The prompt of the module, which ends a response. */
const prompt = '\r\n>';
/** Header of a packet: the length of its text, low byte first. */
const headerBytes = 2;
const maxCommandBytes = 255;
/** Longer than any response to a measurement. */
const maxAnswerBytes = 65_536;

/**
 * A connection to a module, which handles one command at a time. It is opened by the first command, and again
 * after a failed one. The framing is that of quarchpy, `connection_specific/connection_TCP.py`.
 */
export class ModuleConnection {
  readonly #endpoint: Endpoint;
  #socket: Socket | undefined;

  constructor(endpoint: Endpoint) {
    this.#endpoint = endpoint;
  }

  /** @returns the response, without the prompt after it @throws an error if the connection fails or ends */
  async ask(command: string, signal: AbortSignal): Promise<string> {
    try {
      const socket = await this.#open(signal);
      socket.write(frame(command));
      return await readAnswer(socket, signal);
    } catch (error) {
      // The late response to an earlier command would be mistaken for that to the next one.
      this.close();
      throw error;
    }
  }

  close(): void {
    this.#socket?.destroy();
    this.#socket = undefined;
  }

  async #open(signal: AbortSignal): Promise<Socket> {
    if (this.#socket && !this.#socket.destroyed) return this.#socket;
    const socket = connect(this.#endpoint.port, this.#endpoint.host);
    this.#socket = socket;
    await once(socket, 'connect', { signal });
    // Without a listener, an error would end the program.
    socket.on('error', () => {});
    return socket;
  }
}

function frame(command: string): Buffer {
  const text = Buffer.from(`${command}\r\n`, 'latin1');
  if (text.length > maxCommandBytes) {
    throw new Error(`expected a command of at most ${maxCommandBytes} bytes, found ${text.length}`);
  }
  return Buffer.concat([Buffer.of(text.length, 0), text]);
}

function readAnswer(socket: Socket, signal: AbortSignal): Promise<string> {
  return new Promise((resolve, reject) => {
    let received = Buffer.alloc(0);
    const settle = (act: () => void) => {
      socket.off('data', onData).off('close', onClose);
      signal.removeEventListener('abort', onAbort);
      act();
    };
    const fail = (error: unknown) => settle(() => reject(error));
    const onClose = () => fail(new Error('expected an answer, found the end of the connection'));
    const onAbort = () => fail(signal.reason);
    const onData = (chunk: Buffer) => {
      received = Buffer.concat([received, chunk]);
      const answer = takeText(received);
      if (answer.endsWith(prompt)) settle(() => resolve(answer.slice(0, -prompt.length).trim()));
      else if (received.length > maxAnswerBytes) {
        fail(new Error(`expected an answer of at most ${maxAnswerBytes} bytes, found a longer one`));
      }
    };
    socket.on('data', onData).on('close', onClose);
    signal.addEventListener('abort', onAbort);
    if (signal.aborted) onAbort();
  });
}

/** The text of all complete packets. */
function takeText(received: Buffer): string {
  let text = '';
  for (let at = 0; at + headerBytes <= received.length;) {
    const end = at + headerBytes + received.readUInt16LE(at);
    if (end > received.length) break;
    text += received.toString('latin1', at + headerBytes, end);
    at = end;
  }
  return text;
}
