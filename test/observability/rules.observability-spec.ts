import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { stringify } from 'yaml';
import { MODULES } from '../../src/contracts/modules.js';
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

  it('alerts also for a module of the split shape that was never there, in its own namespace', () => {
    const folder = mkdtempSync(join(tmpdir(), 'scalable-api-test-rules-'));
    try {
      const { spec } = readYaml<{ spec: unknown }>('k8s/overlays/split/module-alerts.yaml');
      writeFileSync(join(folder, 'rules.yaml'), stringify(spec));
      const up = (labels: string) => ({ series: `up{job="scalable-api",${labels}}`, values: '1x3' });
      const others = MODULES.filter((name) => name !== 'auth');
      const tests = {
        rule_files: ['rules.yaml'],
        evaluation_interval: '30s',
        tests: [
          {
            interval: '30s',
            input_series: [
              ...others.map((name) => up(`namespace="scalable-api",module="${name}"`)),
              up('namespace="staging",module="auth"'),
            ],
            promql_expr_test: [
              {
                expr: 'ALERTS{alertstate="firing"}',
                eval_time: '30s', // the second evaluation
                exp_samples: [
                  {
                    labels:
                      'ALERTS{alertname="ModuleDown",alertstate="firing",job="scalable-api",module="auth",namespace="scalable-api",severity="page"}',
                    value: 1,
                  },
                ],
              },
            ],
          },
        ],
      };
      writeFileSync(join(folder, 'test.yaml'), stringify(tests));
      expect(run('promtool', ['test', 'rules', join(folder, 'test.yaml')])).toContain('SUCCESS');
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  it('keeps environments apart, in what it groups and in what it silences', () => {
    for (const { expr } of [...alerts, ...groups.groups.flatMap(({ rules }) => rules)]) {
      for (const [, labels] of expr.matchAll(/\bby \(([^)]*)\)/g)) expect(labels).toMatch(/^namespace, job\b/);
      expect(expr).not.toMatch(/\b(sum|max|min|avg|count) ?\(/);
    }
    const { inhibit_rules: rules, route } = readYaml<{
      inhibit_rules: { equal: string[] }[];
      route: { group_by: string[] };
    }>(`${FOLDER}/alertmanager.yaml`);
    expect(route.group_by).toEqual(expect.arrayContaining(['namespace', 'job']));
    for (const { equal } of rules) expect(equal).toEqual(expect.arrayContaining(['namespace', 'job']));
  });

  it('reads windows of more than an hour from recorded sums', () => {
    for (const { expr } of groups.groups.flatMap(({ rules }) => rules)) {
      expect(expr).not.toMatch(/http_request_duration_seconds\w*\{[^}]*\}\[(?!5m|1h)/);
    }
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
