import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import type { BodyFlow } from './body-flow.ts';
import { IncomingBody } from './incoming-body.ts';

/** What is said of a body to its sink, its connection and whoever gave it. */
class Scene {
  readonly said: string[] = [];
  readonly body = new IncomingBody(
    { pause: () => this.said.push('connection paused'), resume: () => this.said.push('connection resumed') },
    () => this.said.push('abandoned'),
  );
  onPush: (flow: BodyFlow) => void = () => undefined;
  flow!: BodyFlow;

  flowing(): this {
    this.flow = this.body.into({
      push: (chunk) => {
        this.said.push(chunk.toString());
        this.onPush(this.flow);
      },
      end: () => this.said.push('end'),
      fail: ({ message }) => this.said.push(message),
    });
    return this;
  }

  take(): string[] {
    return this.said.splice(0);
  }

  push(text: string): boolean {
    return this.body.push(Buffer.from(text));
  }
}

describe('a body that flows into a sink', () => {
  let scene: Scene;
  beforeEach(() => {
    jest.useFakeTimers();
    scene = new Scene();
  });
  afterEach(() => {
    const timersLeft = jest.getTimerCount();
    jest.useRealTimers();
    expect(timersLeft).toBe(0);
  });

  it('says what has come before once it is resumed, and then piece by piece', () => {
    scene.push('a');
    scene.flowing();
    expect([scene.push('b'), scene.take()]).toEqual([false, []]);
    scene.flow.resume();
    expect(scene.take()).toEqual(['a', 'b', 'connection resumed']);
    expect([scene.push('c'), scene.take()]).toEqual([true, ['c']]);
    scene.body.end();
    scene.body.fail(new Error('behind the end'));
    expect(scene.take()).toEqual(['end']);
  });

  it('holds what comes while the sink rests, its end too, and stops at the piece at which it rests again', () => {
    scene.flowing().flow.resume();
    scene.onPush = (flow) => flow.pause();
    expect([scene.push('a'), scene.push('b'), scene.push('c')]).toEqual([false, false, false]);
    scene.body.end();
    expect(scene.take()).toEqual(['connection resumed', 'a', 'connection paused']);
    scene.flow.resume();
    expect(scene.take()).toEqual(['b', 'connection paused']);
    scene.onPush = () => undefined;
    scene.flow.resume();
    expect(scene.take()).toEqual(['c', 'end']);
  });

  it('tells of a fault at once though the sink rests, and of nothing behind it', () => {
    scene.flowing().flow.resume();
    scene.flow.pause();
    scene.push('held');
    scene.take();
    scene.body.fail(new Error('reset'));
    scene.push('late');
    scene.body.end();
    scene.flow.resume();
    expect(scene.take()).toEqual(['reset']);
  });

  it.each([
    ['before anybody wanted it', (given: Scene) => given.body.fail(new Error('reset'))],
    ['by whoever gave it', (given: Scene) => given.body.discard()],
  ])('tells of a fault %s not before it is resumed', (_, fail) => {
    fail(scene);
    scene.take();
    scene.flowing();
    expect(scene.take()).toEqual([]);
    scene.flow.resume();
    expect(scene.take()).toEqual([expect.stringMatching(/reset|abort/)]);
  });

  it('is drained to its end, for a second at most', () => {
    const [ended, endless, broken] = [new Scene(), new Scene(), new Scene()];
    for (const each of [ended, endless, broken]) {
      each.flowing().flow.resume();
      each.flow.pause();
      each.push('held');
      each.take();
      each.flow.drain();
      expect([each.push('more'), each.take()]).toEqual([true, ['connection resumed']]);
    }
    ended.body.end();
    broken.body.fail(new Error('reset'));
    jest.advanceTimersByTime(999);
    expect(endless.take()).toEqual([]);
    jest.advanceTimersByTime(1);
    expect([ended, endless, broken].map((each) => each.take())).toEqual([[], ['abandoned'], []]);
  });

  it('needs no draining behind its end', () => {
    scene.flowing();
    scene.body.end();
    scene.flow.drain();
    jest.advanceTimersByTime(1_000);
    expect(scene.take()).toEqual([]);
  });

  it('says nothing more once it is destroyed', () => {
    scene.flowing();
    scene.push('held');
    scene.flow.destroy();
    scene.push('late');
    scene.flow.resume();
    expect(scene.take()).toEqual(['abandoned', 'connection resumed']);
  });
});
