/**
 * Caches what was computed for an object for as long as that object exists: a plan per array of series, encoded
 * bytes per series. A look-up per table costs nothing; one per point would be too slow.
 */
export function createPlans<Key extends object, Plan>(build: (key: Key) => Plan): (key: Key) => Plan {
  const plans = new WeakMap<Key, Plan>();
  return (key) => {
    const known = plans.get(key);
    if (known !== undefined) return known;
    const plan = build(key);
    plans.set(key, plan);
    return plan;
  };
}

/** The value of a key in a map; a missing one is created and added. */
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
