// What a dashboard of this project may look like, in the words of the schema that Grafana publishes.
//
// Grafana's own `Panel` leaves the options, the custom fields and the queries open, because they
// belong to plugins. Here every type of panel in use is tied to the options of its plugin and every
// query to those of the Prometheus data source, so that a misspelled field is found. Options are
// partial, because Grafana fills in what an older version did not write.

import type {
  AnnotationQuery,
  Dashboard as OpenDashboard,
  DataSourceRef,
  FieldConfigSource,
  GraphFieldConfig,
  HideableFieldConfig,
  Panel as OpenPanel,
  VariableModel,
} from '@grafana/schema';
import type { Dataquery } from '@grafana/grafana-foundation-sdk/prometheus';
import type { Options as BarGauge } from '@grafana/schema/dist/esm/raw/composable/bargauge/panelcfg/x/BarGaugePanelCfg_types.gen';
import type { Options as Gauge } from '@grafana/schema/dist/esm/raw/composable/gauge/panelcfg/x/GaugePanelCfg_types.gen';
import type * as heatmap from '@grafana/schema/dist/esm/raw/composable/heatmap/panelcfg/x/HeatmapPanelCfg_types.gen';
import type * as timeline from '@grafana/schema/dist/esm/raw/composable/statetimeline/panelcfg/x/StateTimelinePanelCfg_types.gen';
import type { Options as Stat } from '@grafana/schema/dist/esm/raw/composable/stat/panelcfg/x/StatPanelCfg_types.gen';
import type * as table from '@grafana/schema/dist/esm/raw/composable/table/panelcfg/x/TablePanelCfg_types.gen';
import type { Options as TimeSeries } from '@grafana/schema/dist/esm/raw/composable/timeseries/panelcfg/x/TimeSeriesPanelCfg_types.gen';

/** A query; the member that is left out only marks the type in the library. */
type Query = Omit<Dataquery, '_implementsDataqueryVariant' | 'datasource'> & {
  datasource: DataSourceRef;
};

interface Defaults<Custom> extends Omit<FieldConfigSource['defaults'], 'custom'> {
  custom?: Partial<Custom>;
}

interface PanelOf<Type extends string, Options, Custom>
  extends Omit<OpenPanel, 'fieldConfig' | 'options' | 'targets' | 'type'> {
  fieldConfig: { defaults: Defaults<Custom>; overrides: FieldConfigSource['overrides'] };
  options: Partial<Options>;
  targets: Query[];
  type: Type;
}

/** The heading of a group; the panels of an open group stand beside it, not in it. */
interface Row {
  collapsed: false;
  gridPos: OpenPanel['gridPos'];
  id: number;
  panels: [];
  title: string;
  type: 'row';
}

type Panel =
  | PanelOf<'bargauge', BarGauge, HideableFieldConfig>
  | PanelOf<'gauge', Gauge, HideableFieldConfig>
  | PanelOf<'heatmap', heatmap.Options, heatmap.FieldConfig>
  | PanelOf<'stat', Stat, HideableFieldConfig>
  | PanelOf<'state-timeline', timeline.Options, timeline.FieldConfig & { insertNulls: false; spanNulls: false }>
  | PanelOf<'table', table.Options, table.FieldConfig>
  | PanelOf<'timeseries', TimeSeries, GraphFieldConfig>
  | Row;

/** An annotation that a query finds; the formats are those of the Prometheus data source. */
interface Annotation extends Omit<AnnotationQuery, 'target'> {
  tagKeys: string;
  target: Query;
  textFormat: string;
  titleFormat: string;
  useValueForTime: boolean;
}

/** A variable; what has no choice yet is `{}`, which Grafana replaces by the first one. */
interface Variable extends Omit<VariableModel, 'current'> {
  current: VariableModel['current'] | Record<string, never>;
}

export interface Dashboard
  extends Omit<OpenDashboard, 'annotations' | 'panels' | 'snapshot' | 'templating'> {
  annotations: { list: Annotation[] };
  panels: Panel[];
  templating: { list: Variable[] };
}
