import assert from 'node:assert/strict';
import { join } from 'node:path';
import { createFolder } from '../../src/testing/temporary-folder.fixture.js';
import { runAgent } from '../agent.js';

/** Controls an agent by `joulemetry ctl`. Each call fails unless the agent has done it. */
export interface ControlSocket {
  /** The agent needs it as `extensions.control.socket.path`. */
  readonly path: string;
  /** Ends the reading of all receivers. What they have read is then in the queues of the exporters. */
  pause(): Promise<void>;
  /** Lets receivers read now. What they have read is then in the queues of the exporters. */
  flush(): Promise<void>;
  /** Lets the receivers read again. */
  resume(): Promise<void>;
  /** Number of points that a component, such as `exporter:file`, has accepted. */
  countAccepted(name: string): Promise<number>;
}

/** A slow machine takes longer than the default of `ctl`. */
const timeout = '10m';

/** The control socket of an agent that a test starts. */
export function createControlSocket(): ControlSocket {
  const path = join(createFolder(), 'control.sock');
  const control = async (...args: readonly string[]): Promise<string> => {
    const { code, stdout, stderr } = await runAgent(['ctl', '--socket', path, '--timeout', timeout, ...args]);
    assert.equal(code, 0, stderr);
    return stdout;
  };
  const flush = async () => void (await control('flush'));
  return {
    path,
    flush,
    async pause() {
      await control('pause', 'receiver:*');
      await flush();
    },
    async resume() {
      await control('resume', 'receiver:*');
    },
    async countAccepted(name) {
      // Documented in extensions/control.
      const { components } = JSON.parse(await control('list', '--json')) as {
        readonly components: readonly { readonly name: string; readonly accepted_points: number }[];
      };
      return components.find((component) => component.name === name)?.accepted_points ?? NaN;
    },
  };
}
