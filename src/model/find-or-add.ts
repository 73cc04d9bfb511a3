/** What a map has for a key; what is not there yet is created and added. */
export function findOrAdd<Key, Value>(
  map: Map<Key, Value>,
  key: Key,
  create: (key: Key) => NoInfer<Value>,
): Value {
  const known = map.get(key);
  if (known !== undefined) return known;
  const value = create(key);
  map.set(key, value);
  return value;
}
