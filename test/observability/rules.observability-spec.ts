import { readdirSync, readFileSync } from 'node:fs';
import { run } from '../deploy/support/tools.js';
import { alerts, FOLDER, groups, readYaml, records, RULE_TESTS, RULES, runbookOf } from './support/rules.js';

interface UnitTests {
  tests: {
    alert_rule_test?: { alertname: string; exp_alerts: unknown[] }[];
    promql_expr_test?: { expr: string }[];
  }[];
}
const unitTests = RULE_TESTS.flatMap((file) => readYaml<UnitTests>(file).tests);
const names = alerts.map(({ alert }) => alert);

describe('observability/prometheus', () => {
  it('is what Prometheus and Alertmanager take', () => {
    expect(run('promtool', ['check', 'rules', RULES])).toContain('SUCCESS');
    expect(run('promtool', ['check', 'config', `${FOLDER}/prometheus.yaml`])).toContain('SUCCESS');
    expect(run('amtool', ['check-config', `${FOLDER}/alertmanager.yaml`])).toContain('SUCCESS');
  });

  it.each(RULE_TESTS)('does as %s says', (file) => {
    expect(run('promtool', ['test', 'rules', file])).toContain('SUCCESS');
  });

  it('is tested in full: each alert speaks and is silent, each record is looked at', () => {
    const expectations = unitTests.flatMap(({ alert_rule_test: expected = [] }) => expected);
    const loud = (is: boolean) =>
      expectations.filter(({ exp_alerts: expected }) => expected.length > 0 === is).map(({ alertname }) => alertname);
    expect(new Set(loud(true))).toEqual(new Set(names));
    expect(new Set(loud(false))).toEqual(new Set(names));
    const looked = unitTests.flatMap(({ promql_expr_test: expected = [] }) => expected.map(({ expr }) => expr));
    expect(new Set(looked)).toEqual(new Set(records));
  });

  it('is the same on Kubernetes', () => {
    const { spec } = readYaml<{ spec: unknown }>('k8s/components/monitoring/prometheus-rule.yaml');
    expect(spec).toEqual(groups);
  });

  it('silences only alerts that there are', () => {
    const { inhibit_rules: rules } = readYaml<{
      inhibit_rules: { source_matchers: string[]; target_matchers: string[] }[];
    }>(`${FOLDER}/alertmanager.yaml`);
    for (const matcher of rules.flatMap((rule) => [...rule.source_matchers, ...rule.target_matchers])) {
      for (const alternative of / "(.*)"$/.exec(matcher)![1]!.replace('(Error|Latency)', 'Error').split('|')) {
        expect(names.some((name) => new RegExp(`^${alternative}$`).test(name))).toBe(true);
      }
    }
  });
});

describe('docs/runbooks', () => {
  it('has a page for each alert, and none for another', () => {
    expect(readdirSync('docs/runbooks').map((file) => `docs/runbooks/${file}`)).toEqual(names.map(runbookOf).sort());
  });

  it.each(alerts)('tells what $alert is, and what to do', ({ alert, annotations }) => {
    const page = readFileSync(runbookOf(alert), 'utf8');
    expect(annotations.runbook_url).toBe(runbookOf(alert));
    expect(page.split('\n')[0]).toBe(`# ${alert}`);
    for (const part of ['**Symptom.**', '**Impact.**', '## Look', '## Do', '## Escalate']) expect(page).toContain(part);
  });

  it('is listed in docs/runbook.md, with who is woken up', () => {
    const list = readFileSync('docs/runbook.md', 'utf8');
    for (const { alert, labels } of alerts) {
      const link = runbookOf(alert).replace('docs/', '');
      expect(list).toMatch(new RegExp(`\\[${alert}\\]\\(${link}\\) +\\| ${labels.severity} +\\|`));
    }
  });
});
