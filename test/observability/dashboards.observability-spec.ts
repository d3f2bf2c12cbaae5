import { dashboards, type Panel } from './support/dashboards.js';
import { readYaml } from './support/rules.js';

const PROVISIONING = 'observability/grafana/provisioning';
/** What Grafana knows without being told. */
const BUILT_IN = ['__rate_interval', '__range'];
const UNITS = ['short', 's', 'bytes', 'ops', 'reqps', 'percentunit'];

function overlap({ gridPos: a }: Panel, { gridPos: b }: Panel): boolean {
  return a.x < b.x + b.w && b.x < a.x + a.w && a.y < b.y + b.h && b.y < a.y + a.h;
}

describe.each(dashboards)('observability/grafana/dashboards/$file', ({ file, dashboard }) => {
  const { panels, templating, uid, schemaVersion } = dashboard;
  const charts = panels.filter(({ type }) => type !== 'row');

  it('is a dashboard that stays the same one when it is loaded again', () => {
    expect(uid).toBe(`scalable-api-${file.replace('.json', '')}`);
    expect(dashboard).not.toHaveProperty('id');
    expect(schemaVersion).toBe(39);
  });

  it('has panels that are distinct, inside the grid, and not on top of each other', () => {
    expect(new Set(panels.map(({ id }) => id)).size).toBe(panels.length);
    expect(new Set(charts.map(({ title }) => title)).size).toBe(charts.length);
    panels.forEach((panel, index) => {
      expect(panel.gridPos.x + panel.gridPos.w).toBeLessThanOrEqual(24);
      for (const other of panels.slice(index + 1))
        expect([panel.title, other.title, overlap(panel, other)][2]).toBe(false);
    });
  });

  it('asks the chosen data source, with variables that there are', () => {
    expect(JSON.stringify(dashboard)).not.toMatch(/"uid":"(?!\$\{datasource\}|scalable-api-)/);
    const variables = [...templating.list.map(({ name }) => name), ...BUILT_IN];
    for (const { type, targets, datasource, fieldConfig } of charts) {
      expect(['timeseries', 'stat']).toContain(type);
      expect(datasource).toEqual({ type: 'prometheus', uid: '${datasource}' });
      expect(UNITS).toContain(fieldConfig!.defaults.unit);
      expect(targets!.length).toBeGreaterThan(0);
      expect(new Set(targets!.map(({ refId }) => refId)).size).toBe(targets!.length);
      for (const { expr } of targets!) {
        for (const [, variable] of expr.matchAll(/\$(\w+)/g)) expect(variables).toContain(variable);
        expect(expr).toContain('job="scalable-api"');
      }
    }
  });
});

it('five dashboards are found by Grafana, and none hides another', () => {
  expect(new Set(dashboards.map(({ dashboard }) => dashboard.title)).size).toBe(5);
  const { providers } = readYaml<{ providers: { options: { path: string } }[] }>(
    `${PROVISIONING}/dashboards/scalable-api.yaml`,
  );
  expect(providers.map(({ options }) => options.path)).toEqual(['/var/lib/grafana/dashboards']);
});
