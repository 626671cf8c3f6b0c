/** The state of a part right now. `details` are shown on `/health`: no secrets. */
export interface HealthReading {
  readonly up: boolean;
  readonly details?: Readonly<Record<string, unknown>>;
}

/**
 * A part that can be down. `read` returns a snapshot and never touches the network, so that a health endpoint stays
 * fast when everything else is slow. "Down" is a value, not an exception.
 */
export interface HealthIndicator {
  readonly name: string;
  /** A required part takes the service out of rotation (`/readyz`) while it is down; others only show on `/health`. */
  readonly required: boolean;
  read(): HealthReading;
}
