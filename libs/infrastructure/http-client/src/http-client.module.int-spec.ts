import { expect, it } from '@jest/globals';
import { Injectable } from '@nestjs/common';
import { Test } from '@nestjs/testing';
import { respond, ScriptedServer } from '../fixture/scripted-server.ts';
import { HttpClient } from './http-client.ts';
import { HttpClientModule } from './http-client.module.ts';

@Injectable()
class Reader {
  constructor(readonly client: HttpClient) {}
}

it('the Nest module gives the client to whoever asks, starts it and stops it', async () => {
  await using server = new ScriptedServer([respond(200)]);
  const baseUrl = `http://127.0.0.1:${await server.listen()}`;
  const options = { serviceName: 'server', baseUrl, health: {} };
  const module = await Test.createTestingModule({
    imports: [HttpClientModule.registerAsync({ useFactory: () => options })],
    providers: [Reader],
  }).compile();
  await module.init();
  const { client } = module.get(Reader);
  expect(client.getStatus().health?.state).toBe('HEALTHY');
  await module.close();
  expect(client.getStatus().state).toBe('closed');
});
