import { AppError } from '@morgan/foundation';
import type { BodyConfig } from './body.config.ts';

/** The slowest upload that is taken, and who hears of a slower one. */
export interface UploadPaceOptions extends Pick<BodyConfig, 'minBytesPerSecond' | 'rateWindowMs'> {
  /** Whether it is us who are not reading: a window that ends so is not the sender's fault. */
  readonly isPaused: () => boolean;
  readonly tooSlow: (receivedBytes: number) => void;
}

/**
 * Watches one upload. Whoever sends less than the least in a window of time is cut off: memory is set aside for every body
 * that is on its way.
 */
export class UploadPace {
  #received = 0;
  #receivedBefore = 0;
  #timer: NodeJS.Timeout | undefined;
  #turn: NodeJS.Immediate | undefined;

  constructor(
    private readonly options: UploadPaceOptions,
    private readonly refuse: (error: AppError) => void,
  ) {}

  start(): void {
    const { minBytesPerSecond, rateWindowMs } = this.options;
    if (minBytesPerSecond === 0) return;
    // What has come while this process stood still is read before it is judged.
    this.#timer = setInterval(() => (this.#turn = setImmediate(() => this.#check())), rateWindowMs);
  }

  received(bytes: number): void {
    this.#received += bytes;
  }

  stop(): void {
    clearInterval(this.#timer);
    clearImmediate(this.#turn);
  }

  #check(): void {
    const { minBytesPerSecond, rateWindowMs, isPaused, tooSlow } = this.options;
    const inWindow = this.#received - this.#receivedBefore;
    this.#receivedBefore = this.#received;
    if (inWindow * 1000 >= minBytesPerSecond * rateWindowMs || isPaused()) return;
    tooSlow(this.#received);
    this.refuse(
      new AppError(
        'request_timeout',
        `The request body came too slowly: at least ${minBytesPerSecond} bytes per second are asked for.`,
      ),
    );
  }
}
