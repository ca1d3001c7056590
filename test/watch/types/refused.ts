// What the types have to refuse: a check that lets this pass would let anything pass.
import type { AnyPanel, Provisioned } from './types';

const place = { gridPos: { h: 1, w: 1, x: 0, y: 0 }, title: 'a', fieldConfig: { defaults: {}, overrides: [] }, targets: [] };
const timeline = { rowHeight: 0.8, tooltip: { mode: 'single', sort: 'none' } } as const;
const legend = { showLegend: true, displayMode: 'list', placement: 'bottom', calcs: [] as string[] } as const;

export const good: AnyPanel = { ...place, type: 'state-timeline', options: { ...timeline, legend, showValue: 'never' } };

// @ts-expect-error a value that the enumeration lacks
export const value: AnyPanel = { ...place, type: 'state-timeline', options: { ...timeline, legend, showValue: 'sometimes' } };

// @ts-expect-error an option that the panel lacks
export const option: AnyPanel = { ...place, type: 'state-timeline', options: { ...timeline, legend, showValue: 'never', speed: 1 } };

// @ts-expect-error a kind of panel that nobody checks
export const kind: AnyPanel = { ...place, type: 'piechart', options: {} };

// @ts-expect-error a dashboard without a schema version
export const dashboard: Provisioned = { uid: 'a', title: 'a', panels: [], templating: { list: [] }, annotations: { list: [] } };
