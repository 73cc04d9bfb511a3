import type { Component, ConsumingComponent, Factories } from '../component/component.js';
import {
  createFakeAgent,
  createTableCollector,
  type FakeContext,
  type MeterReader,
  type TableCollector,
} from '../component/fakes.js';
import type { ComponentKind } from '../component/kinds.js';
import { describeProbe } from '../component/probe.js';
import type { ConfigOf, Schema } from '../component/schema.js';
import { describeError, findErrorCode, UnavailableError } from '../errors.js';
import type { Subject } from './component-package.js';

/** Settings to run a component with. */
export interface Trial {
  /** For the names of tests. */
  readonly name: string;
  /** The component's id in the configuration. */
  readonly id: string;
  readonly settings: ConfigOf<Schema>;
  readonly isDefault: boolean;
  /** Why it cannot be run here. */
  readonly needs: string | undefined;
}

/** A new component of a trial, and its observable state. */
export interface Run {
  readonly component: Component & Partial<ConsumingComponent>;
  /** The output of a receiver or processor. */
  readonly collector: TableCollector;
  /**
   * Starts it like the engine.
   * @returns why it cannot run on this machine, if so
   */
  start(): Promise<string | undefined>;
}

/** What a check of a running component receives. */
export interface Bench {
  readonly subject: Subject;
  readonly trial: Trial;
  readonly telemetry: MeterReader;
  create(): Run;
}

/** @param context of the new component */
export function createRun({ kind, factory }: Subject, { settings }: Trial, context: FakeContext): Run {
  const collector = createTableCollector();
  // A subject's factory is that of its kind, which the compiler does not infer through the union.
  const receiver = factory as Factories['receiver'];
  const creators: { readonly [Kind in ComponentKind]: () => Component } = {
    receiver: () => receiver.create(settings, context, collector),
    processor: () => (factory as Factories['processor']).create(settings, context, collector),
    exporter: () => (factory as Factories['exporter']).create(settings, context),
    extension: () =>
      (factory as Factories['extension']).create(settings, {
        ...context,
        isReady: () => true,
        agent: createFakeAgent(),
      }),
  };
  const component = creators[kind]();
  return {
    component,
    collector,
    async start() {
      try {
        const probe = kind === 'receiver' ? await receiver.probe(settings, context) : undefined;
        if (probe?.available === false) return describeProbe(probe);
        await component.start();
        return undefined;
      } catch (error) {
        if (error instanceof UnavailableError || isAddressTaken(error)) return describeError(error);
        throw error;
      }
    },
  };
}

function isAddressTaken(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  return findErrorCode(error) === 'EADDRINUSE' || isAddressTaken(error.cause);
}

/** The second call must have no effect. */
export async function shutdownTwice({ component }: Run): Promise<void> {
  await component.shutdown();
  await component.shutdown();
}
