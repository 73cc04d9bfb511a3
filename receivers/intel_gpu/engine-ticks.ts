import type { CardFeature } from '../../src/gpu/card-reader.js';
import type { Card } from '../../src/gpu/cards.js';
import { CounterGroup, groupReadFormat } from '../../src/linux/perf/counter-group.js';
import { closePerfEvent, openPerfEvent } from '../../src/linux/perf/event.js';
import type { Term } from '../../src/linux/perf/grammar.js';
import { encodePmuEvent, hasAlias, type Pmu } from '../../src/linux/perf/pmu.js';
import { findNames } from '../../src/linux/sysfs.js';

/** Values of `engine_class`, DRM_XE_ENGINE_CLASS_* in include/uapi/drm/xe_drm.h, by the names of folders in sysfs. */
const engineClasses: Readonly<Record<string, number>> = { rcs: 0, bcs: 1, vcs: 2, vecs: 3, ccs: 4 };
/** Of one class on one graphics tile: XE_HW_ENGINE_BCS0 to BCS8 in drivers/gpu/drm/xe/xe_hw_engine_types.h. */
const maxInstances = 9;
const hertzPerMegahertz = 1e6;

/**
 * The counters of xe's PMU (Linux 6.15 and later): how busy each engine was since the last reading, from its
 * active and total ticks, which are read together; and clocks that sysfs does not have.
 * @param hasColumn whether a column is already read in another way
 * @returns none if the driver has no PMU, or this process is not permitted to count
 */
export function bindXePmu(
  pmu: Pmu,
  card: Card,
  hasColumn: (column: string) => boolean,
): readonly CardFeature[] {
  const tiles = listTiles(card);
  const engines = hasAlias(pmu, 'engine-active-ticks') ? tiles.flatMap((tile) => bindEngines(pmu, tile)) : [];
  const clocks = tiles.flatMap((tile) => bindClock(pmu, tile, hasColumn));
  return [...engines, ...clocks];
}

/** A graphics tile and the engine classes on it. */
interface Tile {
  /** Its number on the card. */
  readonly gt: number;
  readonly classes: readonly string[];
}

function listTiles({ folder }: Card): readonly Tile[] {
  const tiles = findNames(folder).filter((name) => /^tile\d+$/u.test(name));
  return tiles.flatMap((tile) =>
    findNames(`${folder}/${tile}`)
      .filter((name) => /^gt\d+$/u.test(name))
      .map((name) => ({
        gt: Number(name.slice(2)),
        classes: findNames(`${folder}/${tile}/${name}/engines`),
      })),
  );
}

/** Sysfs does not list the instances of a class, which may have gaps: the kernel refuses those that do not exist. */
function bindEngines(pmu: Pmu, { gt, classes }: Tile): readonly CardFeature[] {
  // Tiles after the first two, for graphics and media, have engines with the same names.
  const prefix = gt > 1 ? `gt${gt}-` : '';
  return classes.flatMap((name) => {
    const engineClass = engineClasses[name];
    if (engineClass === undefined) return [];
    return Array.from({ length: maxInstances }, (_, instance) => instance).flatMap((instance) => {
      const terms = toTerms({ gt, engine_class: engineClass, engine_instance: instance });
      const group = openGroup(pmu, ['engine-active-ticks', 'engine-total-ticks'], terms);
      return group ? [bindEngine(`utilization.${prefix}${name}${instance}`, group)] : [];
    });
  });
}

function bindEngine(column: string, group: CounterGroup): CardFeature {
  return bindGroup(column, group, () => {
    const [active, total] = [group.countOf(0), group.countOf(1)];
    return total > 0 ? Math.min(active / total, 1) : NaN;
  });
}

/** Each reading adds the current megahertz: drivers/gpu/drm/xe/xe_pmu.c. */
function bindClock(pmu: Pmu, { gt }: Tile, hasColumn: (column: string) => boolean): readonly CardFeature[] {
  const column = `clock.${gt === 0 ? 'graphics' : gt === 1 ? 'media' : `gt${gt}`}`;
  if (hasColumn(column)) return [];
  const group = openGroup(pmu, ['gt-actual-frequency'], toTerms({ gt }));
  return group ? [bindGroup(column, group, () => group.countOf(0) * hertzPerMegahertz)] : [];
}

/** @param take computes a value from the counts since the last reading */
function bindGroup(column: string, group: CounterGroup, take: () => number): CardFeature {
  let isFirst = true;
  return {
    columns: [column],
    read(values, at) {
      if (!group.read()) throw new Error(`Cannot read ${column} of the PMU of xe: ${group.error}`);
      values[at] = isFirst ? NaN : take();
      isFirst = false;
      group.rebase();
    },
    close: () => group.close(),
  };
}

function toTerms(fields: Readonly<Record<string, number>>): readonly Term[] {
  return Object.entries(fields).map(([name, value]) => ({ name, value: String(value) }));
}

/** @returns undefined if one of them cannot be counted, or this process is not permitted to */
function openGroup(pmu: Pmu, events: readonly string[], terms: readonly Term[]): CounterGroup | undefined {
  const fds: number[] = [];
  try {
    for (const name of events) {
      const [config, config1, config2, config3] = encodePmuEvent(pmu, [
        { name, value: undefined },
        ...terms,
      ]).words;
      const place = { pid: -1, cpu: pmu.cpus?.[0] ?? 0, groupFd: fds[0] ?? -1, readFormat: groupReadFormat };
      fds.push(openPerfEvent({ name, type: pmu.type, config, config1, config2, config3, ...place }));
    }
    return new CounterGroup(fds);
  } catch {
    // Without the permission to count, the rest of the card is still read.
    fds.forEach(closePerfEvent);
    return undefined;
  }
}
