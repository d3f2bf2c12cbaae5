import { readFileSync } from 'node:fs';
import { basename } from 'node:path';
import { parse } from 'yaml';
import type { IPrometheusRule } from '../../deploy/support/custom-resources.js';

export const FOLDER = 'observability/prometheus';
export const RULES = `${FOLDER}/rules.yaml`;
export const RULE_TESTS = [`${FOLDER}/rules.test.yaml`, `${FOLDER}/budgets.test.yaml`];

type Groups = IPrometheusRule['spec'];
type Rule = Groups['groups'][number]['rules'][number];
export type Alert = Extract<Rule, { alert: string }>;

export const readYaml = <T>(file: string): T => parse(readFileSync(file, 'utf8')) as T;

export const groups = readYaml<Groups>(RULES);
const rules = groups.groups.flatMap((group) => group.rules);
export const alerts = rules.filter((rule): rule is Alert => 'alert' in rule);
export const records = rules.flatMap((rule) => ('record' in rule ? [rule.record] : []));

/** ErrorBudgetBurnsFast -> docs/runbooks/error-budget-burns-fast.md */
export function runbookOf(alert: string): string {
  return `docs/runbooks/${alert.replace(/(?<!^)[A-Z]/g, '-$&').toLowerCase()}.md`;
}

/** The queries that a page tells to run: the lines of its blocks of promql. */
export function queriesIn(page: string): { place: string; expr: string }[] {
  return [...readFileSync(page, 'utf8').matchAll(/```promql\n(.*?)```/gs)]
    .flatMap(([, block]) => block!.trim().split('\n'))
    .map((expr) => ({ place: basename(page), expr }));
}
