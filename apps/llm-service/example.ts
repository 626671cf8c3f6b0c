import { LlmService } from './src/service/llm.service.ts';

const service = new LlmService({
  hosts: [{ name: 'gpu1', url: 'http://192.168.1.20:8000/v1' }],
  model: 'simulated',
});
await service.start();

const { text, host } = await service.generate({ prompt: 'Hello, how are you?' });
console.log(text, host); // Fine. gpu1

const { generationCount, errorRate } = service.getMetrics();
console.log(generationCount, errorRate); // 1 0
console.log(await service.healthCheck()); // { healthy: true, hosts: { gpu1: true } }

await service.stop();
