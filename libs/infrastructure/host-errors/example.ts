import { askedRestMs, outcomeOfRefusal, readErrorBody } from './src/index.ts';

const status = 400;
const headers = { 'content-type': 'application/json' };
const body =
  '{"error": {"message": "Rate limit reached for m. Please try again in 1.5s.", "type": "invalid"}}';
const request = Buffer.from('{"model": "m", "input": "abc"}'); // what was sent, which a host may quote

const { error, isJson } = readErrorBody(body, status);
export const restMs = askedRestMs(status, headers, error); // 1500
export const outcome = outcomeOfRefusal({ status, error, isJson, saysWhen: restMs !== undefined, request }); // 'rate_limited'
