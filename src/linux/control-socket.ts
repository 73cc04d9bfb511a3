import { join } from 'node:path';

/** The name of the control socket in the folder of an agent. */
const fileName = 'control.sock';

/**
 * Where an agent has its control socket unless it is set, and where it is looked for: of root and of services in
 * `/run/joulemetry`, of other users below `XDG_RUNTIME_DIR`.
 * @returns the first is that of this user's own agents
 */
export function findControlSockets(env: NodeJS.ProcessEnv = process.env): readonly string[] {
  const ofServices = `/run/joulemetry/${fileName}`;
  const { RUNTIME_DIRECTORY: ofUnit, XDG_RUNTIME_DIR: ofUser } = env;
  // systemd lists several with colons.
  const [unitFolder] = ofUnit?.split(':') ?? [];
  if (unitFolder !== undefined && unitFolder !== '') return [join(unitFolder, fileName)];
  if (process.geteuid?.() === 0 || ofUser === undefined || ofUser === '') return [ofServices];
  return [join(ofUser, 'joulemetry', fileName), ofServices];
}
