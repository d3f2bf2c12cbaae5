import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

export const FOLDER = 'observability/grafana/dashboards';

export interface Panel {
  id: number;
  type: string;
  title: string;
  gridPos: { x: number; y: number; w: number; h: number };
  datasource?: { type: string; uid: string };
  fieldConfig?: { defaults: { unit: string } };
  targets?: { refId: string; expr: string; datasource: { uid: string } }[];
}
export interface Dashboard {
  uid: string;
  title: string;
  schemaVersion: number;
  templating: { list: { name: string; type: string }[] };
  panels: Panel[];
}

export const dashboards = readdirSync(FOLDER).map((file) => ({
  file,
  dashboard: JSON.parse(readFileSync(join(FOLDER, file), 'utf8')) as Dashboard,
}));

/** Every query of every panel, with Grafana's variables as they are for all instances. */
export function dashboardQueries(): { place: string; expr: string }[] {
  return dashboards.flatMap(({ file, dashboard }) =>
    dashboard.panels.flatMap(({ title, targets = [] }) =>
      targets.map(({ expr }) => ({
        place: `${file}, ${title}`,
        expr: expr.replaceAll('$__rate_interval', '5m').replaceAll('$__range', '1h').replaceAll('$instance', '.*'),
      })),
    ),
  );
}
