import type { SecureContext } from 'node:tls';
import { ChannelCredentials, type VerifyOptions } from '@grpc/grpc-js';

type Connector = ReturnType<ChannelCredentials['_createSecureConnector']>;
type ConnectorParameters = Parameters<ChannelCredentials['_createSecureConnector']>;

/**
 * Credentials of TLS whose files may change: every connection asks for its context. Those of grpc-js are made once
 * and for all connections.
 */
export class ChangingCredentials extends ChannelCredentials {
  readonly #context: () => SecureContext;
  readonly #options: VerifyOptions;

  /** @param context called whenever a connection is opened */
  constructor(context: () => SecureContext, options: VerifyOptions = {}) {
    super();
    this.#context = context;
    this.#options = options;
  }

  _isSecure(): boolean {
    return true;
  }

  _equals(other: ChannelCredentials): boolean {
    return this === other;
  }

  _createSecureConnector(...parameters: ConnectorParameters): Connector {
    const create = () => {
      const current = ChannelCredentials.createFromSecureContext(this.#context(), this.#options);
      // eslint-disable-next-line no-underscore-dangle -- grpc-js names so what credentials of one's own implement
      return current._createSecureConnector(...parameters);
    };
    const first = create();
    return {
      connect: (socket) => create().connect(socket),
      waitForReady: () => Promise.resolve(),
      getCallCredentials: () => first.getCallCredentials(),
      destroy: () => undefined,
    };
  }
}
