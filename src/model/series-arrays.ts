import { elementAt } from '../element.js';
import type { AnySeries } from './series.js';

/** Finds the array of some series that was used before, so that the same set is the same object. */
export class SeriesArrays<One extends AnySeries> {
  /** The last array that began with this series: the tables of several sources take turns. */
  readonly #arrays = new WeakMap<One, readonly One[]>();

  /** The first of these series, of which there is at least one, as an array that does not change. */
  find(list: readonly One[], length = list.length): readonly One[] {
    const first = elementAt(list, 0);
    const known = this.#arrays.get(first);
    if (known !== undefined && startsWith(list, length, known)) return known;
    const array = list.slice(0, length);
    this.#arrays.set(first, array);
    return array;
  }
}

function startsWith<One>(list: readonly One[], length: number, known: readonly One[]): boolean {
  return known.length === length && known.every((one, i) => one === list[i]);
}
