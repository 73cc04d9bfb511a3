import { monotonicSinceOriginNs } from '../clocks.js';
import type { ProcessLoop } from './process-loop.js';
import { processRecordWords, runField, runWords } from './process-loop-layout.js';
import type { ProcessTable } from './process-table.js';
import { taskField, taskRecordWords } from './task-record.js';
import type { Pass } from './thread-pass.js';

/** The result of a pass over the processes of a machine: `ProcessLoop`. */
export type ProcessList = Pick<
  ProcessLoop,
  'hasDetails' | 'read' | 'tgids' | 'count' | 'runs' | 'runCount' | 'records' | 'recordLength' | 'close'
>;

const noRow = 0xffff_ffff;

/** Reads every process; a sleeping one costs one comparison of ids. */
export class ProcessPass implements Pass {
  readonly #loop: ProcessList;
  /** The processes of the last pass, in the kernel's order: their ids and their rows. */
  #tgids = new Uint32Array(0);
  #rows = new Uint32Array(0);
  #count = 0;

  get hasDetails(): boolean {
    return this.#loop.hasDetails;
  }

  constructor(loop: ProcessList) {
    this.#loop = loop;
  }

  update(table: ProcessTable): number {
    const beganNs = monotonicSinceOriginNs();
    this.#loop.read();
    const atNs = beganNs + (monotonicSinceOriginNs() - beganNs) / 2;
    const known = this.#matchPlaces(table);
    const { records, recordLength } = this.#loop;
    for (let at = 0; at < recordLength; at += processRecordWords) this.#takeRecord(table, records, at);
    // New processes come last; if they did not, known ones would be among them.
    for (let place = known; place < this.#count; place++) this.#findRow(table, place);
    this.#takeRuns(table);
    return atNs;
  }

  close(): void {
    this.#loop.close();
  }

  /**
   * Finds the rows of processes that still exist, and ends the others.
   * @returns number of processes that still exist
   */
  #matchPlaces(table: ProcessTable): number {
    const { tgids, count } = this.#loop;
    const before = this.#count;
    this.#makeRoom(count);
    let from = 0;
    let place = 0;
    for (; place < count; place++) {
      const tgid = tgids[place];
      while (from < before && this.#tgids[from] !== tgid) table.end(this.#rows[from++]);
      if (from === before) break;
      this.#tgids[place] = tgid;
      this.#rows[place] = this.#rows[from++];
    }
    while (from < before) table.end(this.#rows[from++]);
    for (let next = place; next < count; next++) {
      this.#tgids[next] = tgids[next];
      this.#rows[next] = noRow;
    }
    this.#count = count;
    return place;
  }

  #takeRecord(table: ProcessTable, words: Uint32Array, at: number): void {
    const { rows } = table;
    const known = table.findRow(words[at + taskField.tgid]);
    const isKnown = known !== undefined && rows.isOf(known, words, at);
    const row = isKnown ? known : table.add(words, at);
    const { runtime } = taskField;
    if (isKnown) rows.note(row, words, at);
    rows.raise(row, words[at + runtime], words[at + runtime + 1]);
    rows.noteDetails(row, words, at + taskRecordWords);
    this.#rows[words[at + taskField.place]] = row;
    table.revive(row);
    table.noteChange(row);
  }

  #findRow(table: ProcessTable, place: number): void {
    if (this.#rows[place] !== noRow) return;
    const row = table.findRow(this.#tgids[place]);
    if (row === undefined) return;
    this.#rows[place] = row;
    table.revive(row);
  }

  #takeRuns(table: ProcessTable): void {
    const { runs, runCount } = this.#loop;
    const { rows } = table;
    for (let at = 0; at < runCount * runWords; at += runWords) {
      const row = this.#rows[runs[at + runField.place]];
      if (row === noRow) continue;
      rows.raise(row, runs[at + runField.seconds], runs[at + runField.nanoseconds]);
      rows.noteState(row, runs[at + runField.state]);
      rows.noteDetails(row, runs, at + runField.details);
      table.noteChange(row);
    }
  }

  #makeRoom(count: number): void {
    if (count <= this.#tgids.length) return;
    const larger = [new Uint32Array(2 * count), new Uint32Array(2 * count)] as const;
    larger[0].set(this.#tgids);
    larger[1].set(this.#rows);
    [this.#tgids, this.#rows] = larger;
  }
}
