import { mkdirSync } from 'node:fs';
import { dirname } from 'node:path';
import type { Component, ExtensionContext, ExtensionFactory } from '../../src/component/component.js';
import type { Listener } from '../../src/http/listen.js';
import { servePages, servePagesLocally, type Answer, type Pages } from '../../src/http/server.js';
import type { LocalSocket } from '../../src/http/unix-socket.js';
import { findGroupId, findUserId } from '../../src/linux/account-numbers.js';
import { findControlSockets } from '../../src/linux/control-socket.js';
import { createPages } from './api.js';
import { schema, type Config } from './config.js';
import { PointRates } from './rates.js';
import { TokenFile } from './token-file.js';

const rateMs = 5000;

/** Lets operators list, pause, trigger and reload components: `joulemetry ctl`. */
export const factory: ExtensionFactory<typeof schema> = {
  schema,
  check: ({ socket, http }) => [
    ...(/^0?[0-7]{3}$/u.test(socket.mode)
      ? []
      : [`socket.mode: expected octal permissions such as "0660", found "${socket.mode}"`]),
    ...(http !== null && http.token_file === null
      ? ['http.token_file: expected a file with the token that requests must have, found none']
      : []),
  ],
  listensAt: ({ http }) => (http === null ? [] : [http.endpoint]),
  create: (config, context) => new Control(config, context),
};

const unauthorized: Answer = {
  status: 401,
  headers: { 'WWW-Authenticate': 'Bearer' },
  body: 'Unauthorized: expected the header "Authorization: Bearer TOKEN" with the token of http.token_file\n',
};

class Control implements Component {
  readonly #config: Config;
  readonly #context: ExtensionContext;
  readonly #rates = new PointRates();
  #listeners: readonly Listener[] = [];
  /** Reload requests without an answer so far; a reload may stop this extension. */
  readonly #unanswered = new Set<Promise<unknown>>();
  #timer: NodeJS.Timeout | undefined;

  constructor(config: Config, context: ExtensionContext) {
    this.#config = config;
    this.#context = context;
  }

  async start(): Promise<void> {
    const { agent, isReady, log } = this.#context;
    const awaitAnswer = (sent: Promise<unknown>) => {
      this.#unanswered.add(sent);
      void sent.then(() => this.#unanswered.delete(sent));
    };
    const startedAt = new Date();
    const pages = createPages({ agent, isReady, startedAt, rates: this.#rates, log, awaitAnswer });
    const socket = this.#findSocket();
    this.#listeners = [await servePagesLocally(pages, { socket, log })];
    log.info(`Accepting control requests at ${socket.path}`);
    await this.#serveHttp(pages);
    this.#timer = setInterval(() => this.#rates.note(agent.listComponents()), rateMs).unref();
  }

  async shutdown(): Promise<void> {
    clearInterval(this.#timer);
    const listeners = this.#listeners;
    this.#listeners = [];
    const answered = this.#unanswered.size > 0 ? Promise.all(this.#unanswered) : undefined;
    await Promise.all(listeners.map((listener) => listener.close(answered)));
  }

  async #serveHttp(pages: Pages): Promise<void> {
    const { http } = this.#config;
    const { id, log } = this.#context;
    if (http === null) return;
    const setting = `extensions.${id}.http`;
    const token = new TokenFile(http.token_file ?? '', `${setting}.token_file`, log);
    const server = await servePages(pages, {
      chosen: http.endpoint,
      fallback: http.endpoint,
      setting: `${setting}.endpoint`,
      webConfigFile: http.web_config_file,
      log,
      refuse: ({ headers }) => (token.admits(headers.authorization) ? undefined : unauthorized),
    });
    if (server === undefined) return;
    this.#listeners = [...this.#listeners, server];
    log.info(`Accepting control requests at ${server.origin}, with the token of ${http.token_file}`);
  }

  /** @throws Error when the owner or the group does not exist */
  #findSocket(): LocalSocket {
    const { path, mode, owner, group } = this.#config.socket;
    const setting = `extensions.${this.#context.id}.socket`;
    const [standard = ''] = findControlSockets();
    if (path === null) makeFolder(dirname(standard));
    return {
      path: path ?? standard,
      mode: Number.parseInt(mode, 8),
      uid: owner === null ? undefined : findUserId(owner, `${setting}.owner`),
      gid: group === null ? undefined : findGroupId(group, `${setting}.group`),
      setting: `${setting}.path`,
    };
  }
}

/** Errors show when the socket is created. */
function makeFolder(path: string): void {
  try {
    mkdirSync(path, { mode: 0o755 });
  } catch {
    // It exists or cannot be created.
  }
}
