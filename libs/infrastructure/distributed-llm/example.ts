import { DistributedLlmClient } from './src/index.ts';

const client = new DistributedLlmClient({
  hosts: [
    { name: 'gpu1', url: 'http://192.168.1.20:11434/v1', weight: 2 },
    { name: 'gpu2', url: 'http://192.168.1.21:11434/v1' },
  ],
  strategy: 'least_loaded',
});
await client.start();

const messages = [{ role: 'user', content: 'Hello!' }];
const response = await client.post('/chat/completions', { model: 'qwen3', messages });
console.log(response.data, response.model, response.attempts); // { answer: 'Hi.' } qwen3 1

for await (const event of client.stream('/chat/completions', { model: 'qwen3', messages })) {
  console.log(event); // { choices: [ { index: 0, delta: [Object] } ] }
}

console.log(await client.healthCheckAll()); // { gpu1: true, gpu2: true }
client.drainHost('gpu2'); // or disableHost; enableHost takes it back
console.log(client.getMetrics()['gpu2']?.mode); // draining

await client.stop(); // or `await using client = …`
