import type { AgentControl, ReloadResult } from '../component/agent-control.js';
import type { Environment } from './graph.js';
import type { RunningReceiver } from './receivers.js';
import type { Statuses } from './statuses.js';

/** What of a service its extensions control. */
interface Controlled {
  readonly receivers: readonly RunningReceiver[];
  flush(): Promise<void>;
}

/** The agent as extensions control it. */
export function createAgentControl(
  service: Controlled,
  statuses: Statuses,
  environment: Pick<Environment, 'onShutdownRequest'>,
): AgentControl {
  const find = (verb: string, id: string): RunningReceiver => {
    const receiver = service.receivers.find((one) => one.id === id);
    if (receiver) return receiver;
    const ids = service.receivers.map((one) => one.id).join(', ') || 'none';
    throw new Error(
      `Cannot ${verb} receiver "${id}": expected one that runs (${ids}), found none of that id`,
    );
  };
  const refuse = async (verb: string, id: string): Promise<never> => {
    const { name } = find(verb, id);
    throw new Error(`Cannot ${verb} ${name}: expected one that supports that, found none of the kind`);
  };
  return {
    reload: () => Promise.resolve(refuseReload()),
    listComponents: () => statuses.list(),
    pause: (id) => refuse('pause', id),
    resume: (id) => refuse('resume', id),
    setInterval: (id) => refuse('set the interval of', id),
    trigger: async (id) => find('trigger', id).component.flush?.(),
    flush: () => service.flush(),
    shutdown: () => environment.onShutdownRequest?.(),
  };
}

function refuseReload(): ReloadResult {
  const problem =
    'Cannot reload: expected an agent that reads its configuration again, found one that does not';
  return { outcome: 'refused', started: [], stopped: [], restarted: [], problem };
}
