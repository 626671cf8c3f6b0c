import { describe, expect, it } from '@jest/globals';
import { banner } from './banner.ts';
import type { LaunchPlan } from './launch-plan.ts';

const plan: LaunchPlan = {
  llm: { origin: 'http://127.0.0.1:8080', env: {} },
  embedding: { origin: 'http://127.0.0.1:8081', env: {} },
  simulated: { origin: 'http://127.0.0.1:5000', env: {} },
  needsBundledModel: true,
  apiKey: undefined,
};

describe('banner', () => {
  it('shows where everything is, what is simulated and three requests', () => {
    const text = banner(plan, 'simulated');
    expect(text).toContain('http://127.0.0.1:8080/docs');
    expect(text).toContain('http://127.0.0.1:8081/docs');
    expect(text).toMatch(/^SIMULATED: .*http:\/\/127\.0\.0\.1:5000\/v1/m);
    expect(text.match(/^ {2}curl /gm)).toHaveLength(3);
    expect(text).not.toContain('Authorization');
  });

  it('never prints a key, and says nothing of a simulation when there is none', () => {
    const text = banner({ ...plan, simulated: undefined, apiKey: 'sk-secret' }, 'llama');
    expect(text.match(/-H "Authorization: Bearer \$API_KEY"/g)).toHaveLength(3);
    expect(text).not.toContain('sk-secret');
    expect(text).not.toMatch(/simulated/i);
    expect(text).not.toContain('/health');
  });

  it('says where to look when no host lists a model', () => {
    const text = banner({ ...plan, simulated: undefined }, undefined);
    expect(text).toContain('http://127.0.0.1:8080/health');
    expect(text.match(/"model":"your-model"/g)).toHaveLength(2);
  });
});
