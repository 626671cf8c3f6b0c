import {
  type DynamicModule,
  Inject,
  Module,
  type OnApplicationShutdown,
  type OnModuleInit,
} from '@nestjs/common';
import { HealthMonitor } from './health-monitor.ts';

/**
 * Provides a monitor that the application has made. The application starts with what the first round of checks has
 * found, and ends them with its shutdown.
 */
@Module({})
export class HealthMonitorModule implements OnModuleInit, OnApplicationShutdown {
  static register(monitor: HealthMonitor): DynamicModule {
    return {
      module: HealthMonitorModule,
      providers: [{ provide: HealthMonitor, useValue: monitor }],
      exports: [HealthMonitor],
    };
  }

  constructor(@Inject(HealthMonitor) private readonly monitor: HealthMonitor) {}

  onModuleInit(): Promise<void> {
    return this.monitor.start();
  }

  onApplicationShutdown(): void {
    this.monitor.stop();
  }
}
