import { join } from 'node:path';

/** The name of the control socket in an agent's folder. */
const fileName = 'control.sock';

/**
 * The default paths of control sockets: of root and of services in `/run/joulemetry`, of other users below
 * `XDG_RUNTIME_DIR`.
 * @returns the first one is that of this user's own agents
 */
export function findControlSockets(env: NodeJS.ProcessEnv = process.env): readonly string[] {
  const ofServices = `/run/joulemetry/${fileName}`;
  const { RUNTIME_DIRECTORY: ofUnit, XDG_RUNTIME_DIR: ofUser } = env;
  // systemd separates several folders with colons.
  const [unitFolder] = ofUnit?.split(':') ?? [];
  if (unitFolder !== undefined && unitFolder !== '') return [join(unitFolder, fileName)];
  if (process.geteuid?.() === 0 || ofUser === undefined || ofUser === '') return [ofServices];
  return [join(ofUser, 'joulemetry', fileName), ofServices];
}
