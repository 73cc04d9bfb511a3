import type { Client, ClientConfig } from 'pg';
import type { CopyStreamQuery } from 'pg-copy-streams';
import { describeError } from '../../src/errors.js';

/** The parts of the PostgreSQL packages that are used. */
export interface Driver {
  readonly Client: new (config: ClientConfig) => Client;
  copyFrom(statement: string): CopyStreamQuery;
}

/**
 * Loads the packages, which are optional.
 * @throws Error where they are not installed
 */
export async function loadDriver(): Promise<Driver> {
  try {
    const [{ default: pg }, { from: copyFrom }] = await Promise.all([
      import('pg'),
      import('pg-copy-streams'),
    ]);
    return { Client: pg.Client, copyFrom: (statement) => copyFrom(statement) };
  } catch (error) {
    throw new Error(
      `Cannot load the packages pg and pg-copy-streams: ${describeError(error)}; install them: npm install pg pg-copy-streams`,
      { cause: error },
    );
  }
}
