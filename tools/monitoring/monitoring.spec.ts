import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { docRegion } from '@morgan/testing';
import { parse } from 'yaml';

const ROOT = join(import.meta.dirname, '../..');
const read = (file: string) => readFileSync(join(ROOT, 'docs', file), 'utf8');

interface Rules {
  readonly groups: readonly {
    readonly rules: readonly {
      readonly alert: string;
      readonly expr: string;
      readonly for?: string;
      readonly annotations: { readonly description: string };
    }[];
  }[];
}
interface Dashboard {
  readonly panels: readonly {
    readonly targets: readonly { readonly expr: string; readonly legendFormat: string }[];
  }[];
}

const rules = (parse(read('examples/monitoring/alert-rules.yaml')) as Rules).groups.flatMap(
  (group) => group.rules,
);
const dashboard = JSON.parse(read('examples/monitoring/grafana-dashboard.json')) as Dashboard;

/** Labels by metric, as docs/metrics.md has them. */
const known = new Map(
  Array.from(
    read('metrics.md').matchAll(/^\| `(morgan_\w+)` \| ([^|]+) \|/gm),
    ([, metric = '', labels = '']) => [metric, new Set(labels.match(/\w+/g))],
  ),
);

/** What an expression says of metrics that are not there, or of labels that they do not have. */
function faultsOf(expr: string): string[] {
  const metrics = Array.from(expr.matchAll(/\b(morgan_\w+?)(?:_bucket)?\b(?:\{([^}]*)\})?(?=[^\w{]|$)/g));
  return metrics.flatMap(([, metric = '', selector = '']) => {
    const labels = known.get(metric);
    if (!labels) return [`${metric} is no metric`];
    // What Prometheus adds itself, and the bounds of a histogram.
    const all = new Set([...labels, 'job', 'instance', 'le']);
    const named = [
      ...(selector.match(/\w+(?==)/g) ?? []),
      ...Array.from(expr.matchAll(/\bby \(([^)]*)\)/g), ([, list = '']) => list.split(/, */)).flat(),
    ];
    return named.filter((label) => !all.has(label)).map((label) => `${metric} has no label ${label}`);
  });
}

describe('docs/examples/monitoring', () => {
  it('has alerts that docs/operations.md lists', () => {
    const rows = rules.map(
      ({ alert, expr, for: time, annotations }) =>
        `| \`${alert}\` | \`${expr}\`${time ? ` for ${time}` : ''} | ${annotations.description} |`,
    );
    const table = ['| alert | expression | means |', '| --- | --- | --- |', ...rows].join('\n');
    expect(rows.length).toBeGreaterThan(8);
    expect(docRegion('docs/operations.md', 'alerts', table)).toBe(table);
  });

  it('names metrics and labels that there are', () => {
    const queries = dashboard.panels.flatMap((panel) => panel.targets);
    const expressions = [...rules.map(({ expr }) => expr), ...queries.map(({ expr }) => expr)];
    expect(known.size).toBeGreaterThan(50);
    expect(expressions.length).toBeGreaterThan(25);
    expect(expressions.flatMap(faultsOf)).toEqual([]);
    for (const { expr, legendFormat } of queries) {
      const shown = legendFormat.match(/(?<=\{\{)\w+/g) ?? [];
      expect(shown.filter((label) => !expr.includes(label) && !/^(job|instance)$/.test(label))).toEqual([]);
    }
  });
});
