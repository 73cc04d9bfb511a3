import { peerPath } from './peers.js';
import type { JsonRequest } from './points.js';
import { startProgram, type Scope } from './program.js';

/** A request as received by the answering backend. */
export interface AnsweredRequest {
  /** According to the script. */
  readonly answer: string;
  /** Unix time in milliseconds. */
  readonly at: number;
  readonly request: JsonRequest;
}

/** A backend in Go that answers according to a script; see peers/otlp-answers/main.go. */
export interface AnsweringBackend {
  readonly grpc: string;
  readonly http: string;
  requests(): readonly AnsweredRequest[];
}

/** Starts one. After the last answer of the script it accepts everything. */
export async function startAnswers(scope: Scope, script: readonly string[]): Promise<AnsweringBackend> {
  const program = startProgram(scope, [peerPath('otlp-answers'), ...script]);
  const [line] = await program.waitFor(/^\{.*\}$/mu);
  // Written by print() in main.go.
  const addresses = JSON.parse(line) as Pick<AnsweringBackend, 'grpc' | 'http'>;
  const requests: AnsweredRequest[] = [];
  return {
    ...addresses,
    requests() {
      const lines = program.output().split('\n').slice(1, -1);
      for (const text of lines.slice(requests.length)) requests.push(JSON.parse(text) as AnsweredRequest);
      return requests;
    },
  };
}
