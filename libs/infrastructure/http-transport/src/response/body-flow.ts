/** Takes a body piece by piece, as it comes off the socket. Behind `end` or `fail` nothing comes. */
export interface BodySink {
  push(chunk: Buffer): void;
  end(): void;
  fail(fault: Error): void;
}

/** The flow of a body into a {@link BodySink}: at rest until {@link resume}, and nothing is said while it rests but a fault. */
export interface BodyFlow {
  pause(): void;
  resume(): void;
  /** Throws the rest away. A body that is read to its end leaves its connection in the pool; one that takes long does not. */
  drain(): void;
  /** Gives the rest up, and with it the connection. Nothing more is said. */
  destroy(): void;
}

/** A body that can be had without a stream, which would cost more than all else that is done with a piece. */
export interface BodySource {
  into(sink: BodySink): BodyFlow;
}
