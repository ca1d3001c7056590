// What a provisioned dashboard of rotad may be, in Grafana's own published types. JSON knows no enumerations, so each
// is widened to the texts that it consists of; a key that Grafana does not know is an error as much as a wrong value.
import type {
  AnnotationQuery, Dashboard, DataQuery, FieldConfig, MatcherConfig, Panel, VariableModel,
} from '@grafana/schema';
import type * as heatmap from '@grafana/schema/dist/esm/raw/composable/heatmap/panelcfg/x/HeatmapPanelCfg_types.gen';
import type * as stat from '@grafana/schema/dist/esm/raw/composable/stat/panelcfg/x/StatPanelCfg_types.gen';
import type * as timeline from '@grafana/schema/dist/esm/raw/composable/statetimeline/panelcfg/x/StateTimelinePanelCfg_types.gen';
import type * as table from '@grafana/schema/dist/esm/raw/composable/table/panelcfg/x/TablePanelCfg_types.gen';
import type * as timeseries from '@grafana/schema/dist/esm/raw/composable/timeseries/panelcfg/x/TimeSeriesPanelCfg_types.gen';

type Any<T> = 0 extends 1 & T ? true : false;

export type Written<T> =
  Any<T> extends true ? any
  : T extends string ? `${T}`
  : T extends number | boolean | null | undefined ? T
  : T extends Array<infer Item> ? Array<Written<Item>>
  : T extends object ? { [Key in keyof T]: Written<T[Key]> }
  : T;

// The part of a Prometheus query that a dashboard keeps; Grafana publishes no types of it without its whole editor.
interface Target extends Written<Omit<DataQuery, 'datasource'>> {
  datasource?: { type: 'prometheus'; uid: string };
  expr: string;
  format: 'time_series' | 'table';
  instant: boolean;
  range: boolean;
  legendFormat?: string;
  interval?: string;
}

type Defaults<Custom> = Written<Omit<FieldConfig, 'custom'>> & { custom?: Written<Custom> };

type Of<Kind extends string, Options, Custom> =
  Written<Omit<Panel, 'type' | 'options' | 'targets' | 'fieldConfig'>> & {
    type: Kind;
    options: Written<Options>;
    targets: Target[];
    fieldConfig: {
      defaults: Defaults<Custom>;
      overrides: Array<{ matcher: Written<MatcherConfig>; properties: Array<{ id: string; value?: unknown }> }>;
    };
  };

export type AnyPanel =
  | Of<'stat', stat.Options, {}>
  | Of<'timeseries', timeseries.Options, timeseries.FieldConfig>
  | Of<'state-timeline', timeline.Options, timeline.FieldConfig>
  | Of<'heatmap', heatmap.Options, heatmap.FieldConfig>
  | Of<'table', table.Options, table.FieldConfig>;

// titleFormat and its like belong to the data source.
type Annotation = Written<Omit<AnnotationQuery, 'target'>> & {
  target: Target;
  titleFormat: string;
  textFormat: string;
  tagKeys: string;
};

export type Provisioned = Written<Omit<Dashboard, 'panels' | 'templating' | 'annotations'>> & {
  uid: string;
  title: string;
  panels: AnyPanel[];
  templating: { list: Array<Written<VariableModel>> };
  annotations: { list: Annotation[] };
};
