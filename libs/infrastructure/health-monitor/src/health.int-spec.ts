import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { FastifyAdapter, type NestFastifyApplication } from '@nestjs/platform-fastify';
import { Test } from '@nestjs/testing';
import type { HealthIndicator } from '@morgan/foundation';
import { HealthModule } from './health.module.ts';
import { HealthMonitor } from './health-monitor.ts';

class Switch implements HealthIndicator {
  up = true;
  constructor(
    readonly name: string,
    readonly required: boolean,
  ) {}

  read() {
    return { up: this.up, details: { reason: this.up ? 'fine' : 'gone' } };
  }
}

const model = new Switch('model', true);
const redis = new Switch('redis', false);
let checks = 0;
const monitor = new HealthMonitor({
  targets: {
    gpu1: () => Promise.resolve(void (checks += 1)),
  },
});
let app: NestFastifyApplication;

beforeAll(async () => {
  await monitor.start();
  const module = await Test.createTestingModule({
    imports: [HealthModule.register([model, redis, monitor.indicator({ name: 'hosts' })])],
  }).compile();
  app = module.createNestApplication<NestFastifyApplication>(new FastifyAdapter());
  await app.init();
  await app.getHttpAdapter().getInstance().ready();
});

afterAll(() => {
  monitor.stop();
  return app.close();
});

async function ask(path: string) {
  const { statusCode, body } = await app.inject(path);
  return { statusCode, ...(JSON.parse(body) as { status: string; details: Record<string, unknown> }) };
}

describe('the health endpoints', () => {
  it('show the snapshot of a monitor, without a check', async () => {
    expect(await ask('/health')).toMatchObject({ details: { hosts: { status: 'up', gpu1: 'HEALTHY' } } });
    expect(await ask('/readyz')).toMatchObject({ statusCode: 200 });
    expect(checks).toBe(1);
  });

  it('are all well while every part is up', async () => {
    model.up = redis.up = true;
    expect(await ask('/livez')).toMatchObject({ statusCode: 200, status: 'ok', details: {} });
    expect(await ask('/readyz')).toMatchObject({ statusCode: 200, status: 'ok' });
    expect(await ask('/health')).toMatchObject({
      statusCode: 200,
      details: { model: { status: 'up', reason: 'fine' }, redis: { status: 'up' } },
    });
  });

  it('stay ready, but say degraded, while only an optional part is down', async () => {
    model.up = true;
    redis.up = false;
    expect(await ask('/readyz')).toMatchObject({ statusCode: 200, status: 'ok' });
    expect(await ask('/health')).toMatchObject({
      statusCode: 200,
      status: 'degraded',
      details: { redis: { status: 'degraded', reason: 'gone' } },
    });
  });

  it('are not ready, but alive, while a required part is down', async () => {
    model.up = false;
    expect((await ask('/livez')).statusCode).toBe(200);
    expect(await ask('/readyz')).toMatchObject({
      statusCode: 503,
      status: 'error',
      details: { model: { status: 'down', reason: 'gone' } },
    });
    expect((await ask('/health')).statusCode).toBe(503);
  });
});
