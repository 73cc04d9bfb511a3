/**
 * The port that bin/joulemetry sets for Node's debugger. The address belongs to no machine (RFC 5737), so no
 * port opens.
 */
const unusable = '--inspect-port=192.0.2.1:9229';

const checkAfterMs = [20, 200, 2000];

/**
 * Keeps Node's debugger closed. Node opens a port for it on SIGUSR1, and its clients run code with the rights
 * of this process: any process of the same user could send the signal, and any local user could then connect. A
 * listener replaces Node's for the life of the process. A signal that came while Node itself was starting has
 * opened the port already: it is closed again. Under bin/joulemetry that cannot happen, and Node's module,
 * which takes 2 ms, is not loaded. A debugger that the operator enabled, on the command line or in
 * NODE_OPTIONS, is kept.
 */
export function keepInspectorClosed(): void {
  process.on('SIGUSR1', ignore);
  if (!process.features.inspector || isInspectorRequested() || process.execArgv.includes(unusable)) return;
  const { url, close } = process.getBuiltinModule('node:inspector');
  const closeOpened = () => url() !== undefined && close();
  closeOpened();
  // Node receives the signal on another thread, which then asks this one to open the port: on a busy machine, late.
  setImmediate(closeOpened);
  for (const delayMs of checkAfterMs) setTimeout(closeOpened, delayMs).unref();
}

function ignore(): void {
  // This program ignores SIGUSR1.
}

function isInspectorRequested(): boolean {
  const options = [...process.execArgv, process.env['NODE_OPTIONS'] ?? ''];
  // Neither --inspect-port, which only sets where a signal opens it, nor --inspect-publish-uid.
  return options.some((option) => /(^|[\s"])--inspect(-brk|-wait)?(?=$|[\s"=])/.test(option));
}
