import { expect, it } from '@jest/globals';
import { Metrics } from './metrics.ts';
import { TelemetryModule } from './telemetry.module.ts';

interface Reply {
  type(contentType: string): { send(body: string): unknown };
}

it('renders once for all who ask in one turn of the event loop, and anew for those who ask later', async () => {
  const metrics = new Metrics();
  let renderings = 0;
  metrics.gauge({ name: 'morgan_renderings', help: 'How often.' }, (gauge) => gauge.set((renderings += 1)));
  const [Controller] = TelemetryModule.register(metrics).controllers ?? [];
  const controller = new (Controller as new (metrics: Metrics) => { read(reply: Reply): Promise<void> })(
    metrics,
  );
  const read = async (): Promise<string> => {
    let told = '';
    await controller.read({ type: () => ({ send: (body) => (told = body) }) });
    return /^morgan_renderings (\d+)$/m.exec(told)?.[1] ?? 'nothing';
  };
  expect(await Promise.all([read(), read(), read()])).toEqual(['1', '1', '1']);
  expect(await read()).toBe('2');
});
