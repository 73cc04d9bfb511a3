import type { ComponentState, ComponentStatus } from '../../src/component/agent-control.js';

/** What is observed of a collector. */
export interface Observation {
  readonly isReady: boolean;
  /** Whether its shutdown has begun. */
  readonly isStopping: boolean;
  readonly upSince: Date;
  readonly now: Date;
  readonly components: readonly ComponentStatus[];
  /** A component that has been failing for longer makes the collector unhealthy; undefined: failures never do. */
  readonly recoveryMs: number | undefined;
}

/** The Collector's names for our states. A receiver that is disabled or paused is in the state that was requested. */
const statuses: Readonly<Record<ComponentState, string>> = {
  starting: 'StatusStarting',
  running: 'StatusOK',
  paused: 'StatusOK',
  disabled: 'StatusOK',
  failed: 'StatusRecoverableError',
  stopped: 'StatusStopped',
};

/** The components that make the collector unhealthy. */
export function findUnhealthy({ components, recoveryMs, now }: Observation): readonly ComponentStatus[] {
  if (recoveryMs === undefined) return [];
  return components.filter(
    ({ state, since }) => state === 'failed' && now.getTime() - since.getTime() >= recoveryMs,
  );
}

/** Whether all pipelines run, and no component has been failing for too long. */
export function isHealthy(observation: Observation): boolean {
  return observation.isReady && findUnhealthy(observation).length === 0;
}

/** The collector's state for programs, in the format of the Collector's healthcheckv2 extension. */
export function describeStatus(observation: Observation, isVerbose: boolean): object {
  const { upSince, now, components } = observation;
  const failed = components.find(({ state }) => state === 'failed');
  return {
    start_time: upSince.toISOString(),
    healthy: isHealthy(observation),
    status: findStatus(observation, failed),
    status_time: (failed?.since ?? now).toISOString(),
    ...(failed?.lastError && { error: failed.lastError.message }),
    ...(isVerbose && { components: describeGroups(observation) }),
  };
}

function findStatus(
  { isReady, isStopping }: Observation,
  failed: Pick<ComponentStatus, 'state'> | undefined,
): string {
  if (isStopping) return 'StatusStopping';
  return isReady ? statuses[failed?.state ?? 'running'] : 'StatusStarting';
}

function describeGroups(observation: Observation): object {
  const { components } = observation;
  const pipelines = new Set(components.flatMap((one) => one.pipelines));
  const extensions = components.filter(({ kind }) => kind === 'extension');
  const groups = [...pipelines].map((pipeline) => [
    `pipeline:${pipeline}`,
    components.filter((one) => one.pipelines.includes(pipeline)),
  ]) as [string, readonly ComponentStatus[]][]; // Pairs of a name and its components.
  return Object.fromEntries(
    [['extensions', extensions] as const, ...groups].map(([name, members]) => [
      name,
      describeGroup(members, observation),
    ]),
  );
}

function describeGroup(members: readonly ComponentStatus[], observation: Observation): object {
  const unhealthy = findUnhealthy({ ...observation, components: members });
  const worst = members.find(({ state }) => state === 'failed');
  return {
    healthy: unhealthy.length === 0,
    status: statuses[worst?.state ?? 'running'],
    components: Object.fromEntries(
      members.map((one) => [`${one.kind}:${one.id}`, describeComponent(one, !unhealthy.includes(one))]),
    ),
  };
}

function describeComponent(one: ComponentStatus, healthy: boolean): object {
  const { state, since, lastError, acceptedPoints, refusedPoints } = one;
  return {
    healthy,
    status: statuses[state],
    state,
    status_time: since.toISOString(),
    ...(lastError && { error: lastError.message, error_time: lastError.at.toISOString() }),
    accepted_points: acceptedPoints,
    refused_points: refusedPoints,
  };
}
