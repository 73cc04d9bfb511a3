/**
 * The element at an index that the caller knows to be in the list.
 * @throws RangeError where it is not
 */
export function elementAt<Element>(list: ArrayLike<Element>, index: number): Element {
  const element = list[index];
  if (element !== undefined) return element;
  throw new RangeError(
    `Cannot read an element of a list: expected an index below ${list.length}, found ${index}`,
  );
}
