/**
 * Where bin/joulemetry has Node open the port of its debugger. The address belongs to no machine (RFC 5737): no port
 * opens.
 */
const unusable = '--inspect-port=192.0.2.1:9229';

/**
 * Keeps Node's debugger shut. Node opens a port for it at SIGUSR1, and a client of that port runs code with the rights
 * of this process: any process of the same user could send the signal, and any local user could connect then. A
 * listener takes the place of Node's; it stays for as long as the process lives.
 * A signal that came while Node itself was starting has opened the port already: it is closed again. Under
 * bin/joulemetry it has not, and Node's module, which takes 2 ms, is not loaded. A debugger that the operator asked
 * for, on the command line or in NODE_OPTIONS, stays.
 */
export function keepInspectorClosed(): void {
  process.on('SIGUSR1', ignore);
  if (!process.features.inspector || isInspectorRequested() || process.execArgv.includes(unusable)) return;
  const { url, close } = process.getBuiltinModule('node:inspector');
  const closeOpened = () => url() !== undefined && close();
  closeOpened();
  // Node receives the signal on a thread of its own, which then asks this one to open the port.
  setImmediate(closeOpened);
}

function ignore(): void {
  // Nothing is asked of this program by SIGUSR1.
}

function isInspectorRequested(): boolean {
  const options = [...process.execArgv, process.env['NODE_OPTIONS'] ?? ''];
  // Neither --inspect-port, which says where a signal opens it, nor --inspect-publish-uid.
  return options.some((option) => /(^|[\s"])--inspect(-brk|-wait)?(?=$|[\s"=])/.test(option));
}
