import 'reflect-metadata';
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { HttpTransport, type RequestSender } from '@morgan/http-transport';
import { HttpService } from '@nestjs/axios';
import { NestFactory } from '@nestjs/core';
import { AxiosTransportModule } from './src/index.ts';

const server = createServer((_, response) => response.end('{"ready":true}')).listen(0, '127.0.0.1');
await once(server, 'listening');
const baseURL = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;

const transport = new HttpTransport();
const paths: string[] = [];
const sender: RequestSender = {
  // any policy: a breaker, a limiter, a retry
  request: (request) => {
    paths.push(request.path);
    return transport.request(request);
  },
};
const http = AxiosTransportModule.register({ sender, defaults: { baseURL, timeout: 2_000 } });
const { axiosRef } = (await NestFactory.createApplicationContext(http, { logger: false })).get(HttpService);

assert.deepEqual((await axiosRef.get('/health', { params: { deep: 1 } })).data, { ready: true });
await assert.rejects(axiosRef.get('http://127.0.0.1:2/'), { name: 'AxiosError', code: 'ECONNREFUSED' });
assert.deepEqual(paths, ['/health?deep=1', '/']);
await transport.close(0);
server.close();
