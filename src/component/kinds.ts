/** The kinds of components, in the order of a configuration file. */
export const componentKinds = ['receiver', 'processor', 'exporter', 'extension'] as const;

export type ComponentKind = (typeof componentKinds)[number];
