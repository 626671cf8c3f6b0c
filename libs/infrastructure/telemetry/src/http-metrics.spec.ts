import { describe, expect, it } from '@jest/globals';
import { HttpMetrics } from './http-metrics.ts';
import { Metrics } from './metrics.ts';

const request = {
  requestId: 'r1',
  method: 'POST',
  route: '/v1/embeddings',
  status: 200,
  durationMs: 30,
  aborted: false,
  notes: {},
};

describe('HttpMetrics', () => {
  it('tells a stream of twenty minutes from one of two hours', async () => {
    const metrics = new Metrics();
    const observer = new HttpMetrics(metrics);
    for (const minutes of [20, 120]) observer.finished({ ...request, durationMs: minutes * 60_000 });
    const text = await metrics.render();
    const bucket = (le: string) =>
      `morgan_http_request_duration_seconds_bucket{le="${le}",route="/v1/embeddings"}`;
    for (const [le, count] of Object.entries({ 600: 0, 1800: 1, '+Inf': 2 }))
      expect(text).toContain(`${bucket(le)} ${count}`);
  });

  it('counts requests, errors and durations, and knows what is in flight', async () => {
    const metrics = new Metrics();
    const observer = new HttpMetrics(metrics);
    observer.started();
    observer.started();
    observer.finished(request);
    observer.started();
    observer.finished({ ...request, status: 503, errorCode: 'queue_full' });
    const text = await metrics.render();
    expect(text).toContain('morgan_http_requests_in_flight 1');
    expect(text).toContain('morgan_http_requests_total{method="POST",route="/v1/embeddings",status="200"} 1');
    expect(text).toContain('morgan_http_errors_total{route="/v1/embeddings",code="queue_full"} 1');
    expect(text).toContain('morgan_http_request_duration_seconds_count{route="/v1/embeddings"} 2');
    expect(text).toContain(
      'morgan_http_request_duration_seconds_bucket{le="0.025",route="/v1/embeddings"} 0',
    );
    expect(text).toContain('morgan_http_request_duration_seconds_bucket{le="0.05",route="/v1/embeddings"} 2');
  });

  it('does not let a client invent label values', async () => {
    const metrics = new Metrics();
    const observer = new HttpMetrics(metrics);
    observer.started();
    observer.finished({ ...request, method: 'BREW' });
    expect(await metrics.render()).toContain('method="OTHER"');
  });
});

describe('Metrics', () => {
  it('reads a gauge when it is scraped', async () => {
    const metrics = new Metrics();
    let depth = 3;
    metrics.gauge({ name: 'morgan_depth', help: 'Depth.' }, (gauge) => gauge.set(depth));
    expect(await metrics.render()).toContain('morgan_depth 3');
    depth = 5;
    expect(await metrics.render()).toContain('morgan_depth 5');
    expect(metrics.describe().split('\n').at(-1)).toBe('| `morgan_depth` | – | Depth. |');
  });
});
