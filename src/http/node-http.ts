/**
 * Node's HTTP, without an `import`: an `import` of `node:http` reads each of its exports, which since Node 22
 * include WebSocket and others of undici; that takes 60 ms, 2.2 MB of heap and 6 MB of memory to load.
 */
export const { Agent, createServer, request, validateHeaderName, validateHeaderValue } =
  process.getBuiltinModule('node:http');
