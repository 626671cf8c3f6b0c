import { HttpClient, HttpClientError } from './src/index.ts';

const data = { question: 'How are you?' };

const client = new HttpClient({
  serviceName: 'my_service',
  baseUrl: 'https://api.example.com',
  pool: { maxConnections: 100 },
  retry: { maxRetries: 3, jitter: true },
  circuitBreaker: { failureThreshold: 5 },
  rateLimit: { requestsPerSecond: 10 },
});

const response = await client.post('/api/endpoint', { json: data });
console.log(response.status, response.json(), response.attempt); // 200 { answer: 'Well.' } 2

console.log(client.getStatus().errorRate); // 0
console.log(client.getStatus().circuitBreaker.state); // CLOSED

try {
  await client.get('/api/nowhere', { timeoutMs: 2_000 });
} catch (error) {
  if (!(error instanceof HttpClientError)) throw error;
  console.log(error.category, error.code, error.retryable); // client_error http_404 false
}

await client.stop(); // or `await using client = …`
