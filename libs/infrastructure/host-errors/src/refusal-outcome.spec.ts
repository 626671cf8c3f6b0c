import { describe, expect, it } from '@jest/globals';
import { timedOnThread } from '@morgan/testing';
import { outcomeOfRefusal } from './refusal-outcome.ts';

const refusal = (status: number, message: string, code?: string) => ({
  status,
  error: { message, code, type: undefined, status: undefined },
  isJson: true,
  saysWhen: false,
});

describe('outcomeOfRefusal', () => {
  it.each([
    [404, 'The model `qwen` does not exist.', 'model_not_found'],
    [404, 'model "qwen:latest" not found, try pulling it first', 'model_not_found'],
    [404, 'The lora adapter `a` has not been loaded.', 'model_not_found'],
    [404, 'DeploymentNotFound: The API deployment for this resource does not exist.', 'model_not_found'],
    [400, 'Invalid model name passed in model=x', 'model_not_found'],
    [404, 'Not Found', 'path_not_found'],
    [404, 'File Not Found', 'path_not_found'],
    [404, 'Invalid URL (POST /v1/nothing)', 'path_not_found'],
    [404, 'No response found with id resp_1.', 'malformed_request'],
    [404, "Item with id 'rs_1' not found.", 'conflict'],
    [400, "Item with id 'rs_1' not found. Items are not persisted when `store` is set to false.", 'conflict'],
    [400, "Referenced reasoning item 'rs_1' was not found or has expired.", 'conflict'],
    [400, 'The encrypted content for item rs_1 could not be verified.', 'conflict'],
    [400, "This model's maximum context length is 8192 tokens.", 'context_too_long'],
    [400, 'the request exceeds the available context size', 'context_too_long'],
    [400, 'prompt is too long: 210000 tokens > 200000 maximum', 'context_too_long'],
    [413, 'Request too large', 'malformed_request'],
    [403, 'Your input was flagged.', 'policy_refusal'],
    [400, 'The response was filtered by our content management policy.', 'policy_refusal'],
    [403, 'Project does not have access.', 'credentials_rejected'],
    [429, 'You exceeded your current quota, please check your plan and billing details.', 'quota_exhausted'],
    [429, 'Rate limit reached for requests', 'rate_limited'],
    [503, 'Loading model', 'loading'],
    [503, 'Service Unavailable', 'server_error'],
    [500, 'The engine is currently overloaded, please try again later', 'overloaded'],
    [501, 'Not Implemented', 'path_not_found'],
    [504, 'upstream timed out', 'server_error'],
    [302, '', 'redirect'],
  ] as const)('says of a %i with %j: %s', (status, message, outcome) => {
    expect(outcomeOfRefusal(refusal(status, message))).toBe(outcome);
  });

  /** Words of real hosts, whose status alone would say something else. */
  it.each([
    [400, 'API key not valid. Please pass a valid API key.', 'credentials_rejected'],
    [400, 'Incorrect API key provided: xa***.', 'credentials_rejected'],
    [400, 'User location is not supported for the API use.', 'credentials_rejected'],
    [407, 'Proxy Authentication Required', 'credentials_rejected'],
    [400, 'Your credit balance is too low to access the API.', 'quota_exhausted'],
    [400, 'You have reached your specified API usage limits.', 'quota_exhausted'],
    [400, 'Access denied, please make sure your account is in good standing.', 'quota_exhausted'],
    [400, 'Budget has been exceeded! Current cost: 1.0, max budget: 0.5', 'quota_exhausted'],
    [403, 'Key limit exceeded (total limit).', 'quota_exhausted'],
    [403, 'Out of call volume quota.', 'quota_exhausted'],
    [400, 'ThrottlingException: Rate exceeded', 'rate_limited'],
    [403, 'rateLimitExceeded: rate limit exceeded for this project', 'rate_limited'],
    [412, 'Account x is suspended, possibly due to failure to pay past invoices.', 'quota_exhausted'],
    [403, 'Project `p` does not have access to model `m`', 'model_not_found'],
    [403, "You don't have access to the model with the specified model ID.", 'model_not_found'],
    [403, 'The model `m` is blocked at the project level.', 'model_not_found'],
    [403, 'Country, region, or territory not supported', 'credentials_rejected'],
    [404, 'model: claude-9', 'model_not_found'],
    [404, 'models/m is not found for API version v1main', 'model_not_found'],
    [404, 'No endpoints found for unknown/model.', 'model_not_found'],
    [404, 'No allowed providers are available for the selected model.', 'model_not_found'],
    [404, "Function 'f': Not found for account 'a'", 'model_not_found'],
    [400, 'm is not a valid model ID', 'model_not_found'],
    [410, 'Model m has been deprecated', 'model_not_found'],
    [410, 'Gone', 'path_not_found'],
    [404, 'No endpoints found that support tool use.', 'conflict'],
    [404, 'This model is only supported in v1/responses and not in v1/chat/completions.', 'conflict'],
    [
      413,
      'Request too large for model `m` on tokens per minute (TPM): Limit 6000, Requested 7000',
      'conflict',
    ],
    [429, 'Request too large for m on tokens per min (TPM): Limit 30, Requested 45', 'conflict'],
    [429, 'Rate limit reached for m on tokens per min (TPM): Limit 9, Used 9, Requested 2', 'rate_limited'],
    [421, 'Misdirected Request', 'conflict'],
    [424, 'Error retrieving the list of tools from the MCP server.', 'conflict'],
    [424, 'Received server error (500) from primary with message "CUDA out of memory".', 'server_error'],
    [424, 'Received client error (400) from primary with message "n must be 1".', 'conflict'],
    [498, 'Flex tier capacity exceeded', 'overloaded'],
    [499, 'The operation was cancelled.', 'server_error'],
    [426, 'Upgrade Required', 'server_error'],
    [400, 'Tool use with model m is not supported.', 'malformed_request'],
    [400, 'Input is too long for requested model.', 'context_too_long'],
    [422, '`inputs` tokens + `max_new_tokens` must be <= 4096.', 'context_too_long'],
    [500, 'the request exceeds the available context size', 'context_too_long'],
    [500, 'input is too large to process. increase the physical batch size', 'context_too_long'],
    [500, 'Client.Timeout exceeded while awaiting headers: context deadline exceeded', 'server_error'],
    [503, 'server busy, please try again. maximum pending requests exceeded', 'overloaded'],
    [503, 'upstream connect error, reset reason: overflow', 'overloaded'],
    [503, 'Model with name m is not ready.', 'loading'],
    [503, 'The endpoint is scaling up', 'loading'],
  ] as const)('is not misled by the status of a %i with %j: %s', (status, message, outcome) => {
    expect(outcomeOfRefusal(refusal(status, message))).toBe(outcome);
  });

  /** Words of further hosts: what is about the host, a model of it or our account is no fault of the request, and the other way round. */
  it.each([
    [403, 'Content violates usage guidelines. Failed check: SAFETY_CHECK_TYPE_BIO', 'policy_refusal'],
    [400, 'Input data may contain inappropriate content.', 'policy_refusal'],
    [403, 'Your account has been suspended for violating our usage policies.', 'quota_exhausted'],
    [400, 'API Key not found. Please pass a valid API key.', 'credentials_rejected'],
    [400, 'Authorization header is correct, but the token seems invalid', 'credentials_rejected'],
    [400, 'Free tier is not available in your country. Please enable billing.', 'quota_exhausted'],
    [400, 'Organization has been restricted. Please reach out to support.', 'quota_exhausted'],
    [400, 'The provided model identifier is invalid.', 'model_not_found'],
    [400, 'Invocation of model ID m with on-demand throughput isn’t supported.', 'model_not_found'],
    [400, 'Model is unloaded.', 'model_not_found'],
    [400, 'Model has unloaded or crashed.', 'model_not_found'],
    [400, 'No models loaded. Please load a model first.', 'model_not_found'],
    [404, 'No models loaded. Please load a model first.', 'model_not_found'],
    [400, 'Failed to load model "m".', 'model_not_found'],
    [404, "Function id 'f': Specified function in account 'a' is not found", 'model_not_found'],
    [500, 'model requires more system memory (5.6 GiB) than is available (2.1 GiB)', 'model_not_found'],
    [500, 'could not load model - all backends returned error', 'model_not_found'],
    [500, 'model failed to load, this may be due to resource limitations', 'model_not_found'],
    [503, 'No available channel for model m under group default', 'model_not_found'],
    [500, 'RateLimitError: Rate limit reached for m', 'rate_limited'],
    [400, 'Too many tokens, please wait before trying again.', 'rate_limited'],
    [500, 'ThrottlingException: Too many tokens, please wait before trying again.', 'rate_limited'],
    [429, 'Tokens per minute limit exceeded - too many tokens processed', 'rate_limited'],
    [429, 'Extra usage is required for long context requests.', 'conflict'],
    [400, '"auto" tool choice requires --enable-auto-tool-choice and --tool-call-parser', 'conflict'],
    [500, 'tools param requires --jinja flag', 'conflict'],
    [400, 'Your organization must be verified to stream this model.', 'conflict'],
    [400, 'The chatCompletion operation does not work with the specified model, m.', 'conflict'],
    [
      429,
      'The system is experiencing high demand. Your request exceeds the maximum usage size allowed during peak load. Please retry after 20 seconds.',
      'conflict',
    ],
    [402, 'You requested up to 65536 tokens, but can only afford 2300.', 'conflict'],
    [402, 'Insufficient credits.', 'quota_exhausted'],
    [404, 'HTTP 404 Not Found', 'path_not_found'],
    [404, 'Cannot POST /v1/rerank', 'path_not_found'],
    [404, 'Cannot POST /v1/chat/completions', 'path_not_found'],
    [404, 'Route POST:/v1/chat/completions not found', 'path_not_found'],
    [404, 'Invalid URL (POST /v1/responses)', 'path_not_found'],
    [404, "Path '/v1/chat/completions' not found. Ping /-/routes for routes.", 'path_not_found'],
    [404, 'This is not a chat model. Did you mean to use v1/completions?', 'conflict'],
    [404, 'No static resource v1/rerank.', 'path_not_found'],
    [404, 'Unexpected endpoint or method. (POST /v1/rerank)', 'path_not_found'],
    [404, "No API found for 'POST /serving-endpoints/messages'", 'path_not_found'],
    [404, 'Method not found.', 'path_not_found'],
    [404, 'The requested resource could not be found.', 'path_not_found'],
    [404, 'uri not found', 'path_not_found'],
    [404, 'Unexpected endpoint or method. (POST /v1/embeddings)', 'path_not_found'],
    [400, 'Unsupported value: temperature does not support 0.2 with this model.', 'malformed_request'],
    [400, "Unsupported parameter: 'max_tokens' is not supported with this model.", 'malformed_request'],
    [400, 'max_tokens: 128000 > 64000, the maximum number of output tokens for m', 'malformed_request'],
    [400, 'Maximum number of tools exceeded: at most 128.', 'malformed_request'],
    [500, 'Internal server error', 'server_error'],
  ] as const)('knows a %i with %j: %s', (status, message, outcome) => {
    expect(outcomeOfRefusal(refusal(status, message))).toBe(outcome);
  });

  /** Words that further hosts have for what is theirs, that of a model or that of an account, in whatever status. */
  it.each([
    [400, 'Invalid model. no endpoints available for this model under your current plan', 'model_not_found'],
    [400, 'Project `p` is not allowed to use Publisher Model `m`', 'model_not_found'],
    [400, 'The model `m` requires terms acceptance.', 'model_not_found'],
    [400, 'The model m has been decommissioned, see the docs', 'model_not_found'],
    [400, 'Unable to access non-serverless model m. Please create a dedicated endpoint.', 'model_not_found'],
    [400, 'Unavailable model: m', 'model_not_found'],
    [400, 'Not valid deployment name', 'model_not_found'],
    [400, 'This Model is Cold / Not Ready for Inference', 'model_not_found'],
    [400, 'The model has crashed without additional information. (Exit code: 1)', 'model_not_found'],
    [422, 'Model Not Found', 'model_not_found'],
    [400, 'Invalid Authorization request header', 'credentials_rejected'],
    [400, 'Our servers are currently overloaded. Please try again later.', 'overloaded'],
    [503, 'No valid executor', 'overloaded'],
    [429, 'Concurrency limit reached for requests', 'rate_limited'],
    [403, 'The free tier of the model has been exhausted.', 'model_not_found'],
    [403, '该令牌无权访问模型 m', 'model_not_found'],
    [404, 'Requested entity was not found.', 'model_not_found'],
    [404, 'The model is not configured in the gateway.', 'model_not_found'],
    [404, 'Provider returned error', 'conflict'],
    [
      410,
      'https://old.example is no longer supported. Please use https://new.example instead.',
      'path_not_found',
    ],
    [503, '当前分组 default 下对于模型 m 无可用渠道', 'model_not_found'],
    [400, 'model "m" is not accessible via the /chat/completions endpoint', 'conflict'],
    [400, 'default chat template is no longer allowed, so you must provide a chat template', 'conflict'],
    [400, 'The security token included in the request is expired', 'credentials_rejected'],
    [400, 'Authentication failed', 'credentials_rejected'],
    [403, 'Sorry, your account balance is insufficient', 'quota_exhausted'],
    [403, 'Credit limit exceeded, please navigate to billing', 'quota_exhausted'],
    [403, 'Please enter a payment method', 'quota_exhausted'],
    [403, 'Quota exceeded.', 'quota_exhausted'],
    [400, 'You have exceeded your monthly quota', 'quota_exhausted'],
    [403, "Quota exceeded for quota metric 'x' and limit 'x per minute'", 'rate_limited'],
    [400, 'no keys found that support model: m', 'model_not_found'],
    [403, '用户额度不足', 'quota_exhausted'],
    [429, 'You exceeded your current token quota', 'quota_exhausted'],
    [429, 'you have used up your daily free allocation of 10,000 neurons', 'quota_exhausted'],
    [429, '余额不足或无可用资源包,请充值。', 'quota_exhausted'],
    [429, '您的账户已达到速率限制', 'rate_limited'],
    [429, 'Quota exceeded for requests per model. Please submit a quota increase request.', 'rate_limited'],
    [403, 'RPM limit exceeded. Please complete identity verification.', 'rate_limited'],
    [400, 'Resource has been exhausted (e.g. check quota).', 'rate_limited'],
    [420, 'Rate exceeded', 'rate_limited'],
    [400, 'Bedrock is unable to process your request.', 'overloaded'],
    [400, 'The server is busy, please try again later', 'overloaded'],
    [503, 'No capacity available for model on the server', 'overloaded'],
    [503, 'no slot available', 'overloaded'],
    [503, 'ModelNotReadyException: try later', 'loading'],
    [500, 'Model m is currently loading', 'loading'],
    [502, 'error loading image', 'server_error'],
    [446, 'The guardrail checks defined in the config failed.', 'policy_refusal'],
    [424, 'Prompt blocked due to security configurations', 'policy_refusal'],
    [400, 'Content Exists Risk', 'policy_refusal'],
    [400, '系统检测到输入内容可能包含不安全或敏感内容', 'policy_refusal'],
    [500, 'moderation is down', 'server_error'],
    [400, 'Range of input length should be [1, 30720]', 'context_too_long'],
    [400, "This model's maximum prompt length is 131072 but the request has more.", 'context_too_long'],
    [422, '`inputs` must have less than 1024 tokens. Given: 1500', 'context_too_long'],
    [400, 'Prompt length (9000) exceeds maximum input length (8000).', 'context_too_long'],
    [400, '输入内容过长', 'context_too_long'],
    [418, "I'm a teapot", 'conflict'],
    [451, 'Unavailable For Legal Reasons', 'conflict'],
    [415, 'Unsupported media type', 'malformed_request'],
    [422, 'messages.0.role: Input should be user', 'malformed_request'],
    [400, 'For the model m, thinking is not enabled', 'malformed_request'],
    [
      400,
      'temperature must be between 0 and 2 for this model, other values are not supported',
      'malformed_request',
    ],
    [400, 'model m: the image URL is not accessible', 'malformed_request'],
    [400, "Invalid type for 'model': expected a string", 'malformed_request'],
    [400, "Unknown parameter: 'model_id'.", 'malformed_request'],
    [400, "Invalid schema for function 'get_credit_limits': type is missing", 'malformed_request'],
    [400, 'The model m does not support image inputs.', 'malformed_request'],
    [400, '参数 frequency_penalty（频率惩罚）超出范围', 'malformed_request'],
    [400, '模型名称大小写敏感', 'malformed_request'],
  ] as const)('tells by the words of a %i with %j: %s', (status, message, outcome) => {
    expect(outcomeOfRefusal(refusal(status, message))).toBe(outcome);
  });

  it.each([
    [400, 'upstream_error', 'conflict'],
    [400, 'bad_response_status_code', 'conflict'],
    [400, 'tool_use_failed', 'conflict'],
    [400, 'json_validate_failed', 'conflict'],
    [403, 'billing_not_active', 'quota_exhausted'],
    [400, 'internal_server_error', 'conflict'],
    [400, 'InternalError.Algo.InvalidParameter', 'malformed_request'],
    [404, 'url.not_found', 'path_not_found'],
    [500, 'model_not_found', 'model_not_found'],
    [503, 'insufficient_user_quota', 'quota_exhausted'],
    [500, 'content_filter', 'policy_refusal'],
    [400, 'prohibited_content', 'policy_refusal'],
  ] as const)('goes by the name of a %i that is called %s: %s', (status, code, outcome) => {
    expect(outcomeOfRefusal(refusal(status, 'no', code))).toBe(outcome);
  });

  it.each([
    [500, 429, 'rate_limited'],
    [502, 402, 'quota_exhausted'],
    [500, 401, 'credentials_rejected'],
    [503, 404, 'path_not_found'],
    [500, 400, 'server_error'],
    [400, 503, 'server_error'],
    [400, 529, 'overloaded'],
    [400, 500, 'malformed_request'],
    [429, 503, 'rate_limited'],
  ] as const)('believes a %i whose body has the status %i: %s', (status, inner, outcome) => {
    const { error, ...rest } = refusal(status, 'Not found');
    expect(outcomeOfRefusal({ ...rest, error: { ...error, status: inner } })).toBe(outcome);
  });

  it('reads what a router was told by its own host', () => {
    const { error, ...rest } = refusal(400, 'Provider returned error');
    const told = (behind: string) => outcomeOfRefusal({ ...rest, error: { ...error, behind } });
    expect(told('{"error":{"message":"Incorrect API key provided"}}')).toBe('credentials_rejected');
    expect(told("This model's maximum context length is 10 tokens.")).toBe('context_too_long');
    expect(told('supports at most 1 image per prompt')).toBe('malformed_request');
  });

  /** Words of engines and providers that neither their status nor the tables above tell. */
  it.each([
    [400, 'Billing hard limit has been reached', 'quota_exhausted'],
    [403, 'Input tokens + max_tokens exceed the context length of the model', 'context_too_long'],
    [503, 'The request is aborted by a higher priority request.', 'overloaded'],
    [502, 'Worker local total request limit reached (33/32)', 'rate_limited'],
    [500, 'model name=qwen failed to load', 'model_not_found'],
    [400, 'For the model m: Failed to load image or audio file', 'malformed_request'],
    [400, 'The model does not support Chat Completions API', 'conflict'],
    [400, 'API version not supported', 'conflict'],
    [400, 'EngineCore encountered an issue. See stack trace (above) for the root cause.', 'server_error'],
    [400, 'Background loop has errored already.', 'server_error'],
    [400, 'CUDA error: an illegal memory access was encountered', 'server_error'],
    [400, 'Engine loop is not running. Inspect the stacktrace', 'server_error'],
    [400, 'The engine does not take this parameter: it is not running there', 'malformed_request'],
    [400, 'The model returned the following errors: messages.1.type: unknown variant', 'malformed_request'],
    [
      403,
      'User: arn:aws:iam::1:user/u is not authorized to perform: bedrock:InvokeModel on resource: arn:aws:bedrock:us-east-1::foundation-model/m',
      'model_not_found',
    ],
    [
      403,
      "Permission 'aiplatform.endpoints.predict' denied on resource '//x/projects/p/locations/l/publishers/google/models/m' (or it may not exist).",
      'model_not_found',
    ],
    [403, "Permission 'x' denied on resource '//x/projects/p'.", 'credentials_rejected'],
    [400, 'The model does not support Rerank (Score) API', 'conflict'],
    [400, '"nomic-embed-text" does not support chat', 'conflict'],
    [400, 'registry.ollama.ai/library/gemma3:4b does not support tools', 'conflict'],
    [400, 'The long context beta is not yet available for this subscription.', 'conflict'],
    [400, "Function id 'f': DEGRADED function cannot be invoked", 'model_not_found'],
    [400, 'Bad Request: The endpoint is paused, ask a maintainer to restart it', 'model_not_found'],
    [400, 'Channel Error', 'model_not_found'],
    [400, 'Got LoRA adapter that has never been loaded: a', 'model_not_found'],
    [500, 'error loading model: unknown model architecture', 'model_not_found'],
    [500, 'timed out waiting for llama runner to start - progress 0.00', 'model_not_found'],
    [500, 'input (3000 tokens) is too large to process. increase the batch size', 'context_too_long'],
    [400, 'default_max_tokens (-5) = max_seq_len (9) - splited_prompt_len (14)', 'context_too_long'],
    [503, 'Exceeds maximum queue size', 'overloaded'],
    [503, 'pending request queue full', 'overloaded'],
    [503, 'Request dropped due to backpressure (num_queued_requests=5).', 'overloaded'],
    [500, 'The request was aborted because there was no available instance.', 'overloaded'],
    [503, 'No instances available', 'overloaded'],
    [400, 'Your project has reached its spend limit.', 'quota_exhausted'],
    [400, 'Model m is enabled only for api versions 2024-12-01-preview and later', 'conflict'],
    [404, 'models/m is not found for API version v1, or is not supported for x.', 'model_not_found'],
    [400, "Invalid schema for function 'get_billing_limits': type is missing", 'malformed_request'],
    [400, 'The deployment is not ready. Please try again later.', 'model_not_found'],
    [400, 'Publisher Model `m` is not servable in region global.', 'model_not_found'],
    [400, 'Only meta/m allowed now, your model gpt-4', 'model_not_found'],
    [400, 'Call to add_lora method failed: No adapter found for /loras/a', 'model_not_found'],
    [400, 'Loading lora a failed: LoRA rank 64 is greater than max_lora_rank 16.', 'model_not_found'],
    [400, 'Endpoint is stopped, please retry after starting the endpoint.', 'model_not_found'],
    [403, 'Model is disabled for unpaid user', 'model_not_found'],
    [403, 'not enough balance', 'quota_exhausted'],
    [400, 'The service is temporarily out of capacity.', 'overloaded'],
    [400, 'length of prompt_tokens (68957) must be less than max_seq_len (65536).', 'context_too_long'],
    [400, 'max_total_tokens (33802) must be less than or equal to max_seq_len (32768)', 'context_too_long'],
    [400, 'tokens in request more than max tokens allowed', 'context_too_long'],
    [400, 'The number of LoRA adapters must be less than 8', 'malformed_request'],
    [400, 'Unsupported parameter for model m: temperature', 'malformed_request'],
    [403, 'Access blocked by network policy', 'credentials_rejected'],
    [403, 'The request was blocked by organization policy.', 'credentials_rejected'],
    [403, 'Blocked by content policy.', 'policy_refusal'],
    [400, 'Invalid value for model parameter: must be between 0 and 2', 'malformed_request'],
    [403, 'This identity has reached its monthly usage token quota', 'quota_exhausted'],
    [429, 'Your project has exceeded its monthly spending cap.', 'quota_exhausted'],
    [400, 'ExceededTokenBudget: Current spend for token: 7.2; Max Budget for Token: 2', 'quota_exhausted'],
    [400, 'Operation unsupported. Model m cannot be used with chatCompletion', 'conflict'],
    [400, 'Engine protocol startup was aborted.', 'model_not_found'],
  ] as const)('knows of a %i with %j as well: %s', (status, message, outcome) => {
    expect(outcomeOfRefusal(refusal(status, message))).toBe(outcome);
  });

  /** What routers and engines say with a status that says something else. */
  it.each([
    [400, 'Failed to get response from provider', 'conflict'],
    [400, 'Error from provider: Upstream request failed', 'conflict'],
    [400, 'upstream connect error or disconnect/reset before headers. reset reason: overflow', 'conflict'],
    [400, 'unexpected EOF', 'conflict'],
    [400, 'Post "https://h/v1/x?ts=1": unexpected EOF', 'conflict'],
    [400, 'dial tcp 10.0.0.1:443: i/o timeout', 'conflict'],
    [400, "Failed to call a function. See 'failed_generation' for more details.", 'conflict'],
    [400, 'The model produced invalid content.', 'conflict'],
    [500, 'The model produced invalid content.', 'server_error'],
    [403, 'Missing Authentication Token', 'path_not_found'],
    [401, 'Missing Authentication Token', 'credentials_rejected'],
    [400, 'NoResourceFoundException: 404 NOT_FOUND "No static resource v1/messages."', 'path_not_found'],
    [500, 'count_tokens is not supported by provider p', 'path_not_found'],
    [400, 'embedding operation is not supported by provider p', 'path_not_found'],
    [498, 'your request resulted in an invalid token generation', 'conflict'],
    [400, 'Please reduce the length of the messages or completion.', 'context_too_long'],
    [400, 'prompt token count of 90000 exceeds the limit of 64000', 'context_too_long'],
    [400, 'the input token count is 1100000 but model only supports up to 1048576.', 'context_too_long'],
    [400, 'total message token length exceed model limit', 'context_too_long'],
    [400, 'input text is too long', 'context_too_long'],
    [400, '模型上下文长度超限', 'context_too_long'],
    [
      400,
      'Request prompt has 5000 tokens in total, larger than the model capacity 4096.',
      'context_too_long',
    ],
    [400, 'Trying to submit a prompt of 5000 tokens while n_ctx is 4096', 'context_too_long'],
    [451, 'censorship_blocked', 'policy_refusal'],
    [400, 'Blocked by Model Armor', 'policy_refusal'],
    [400, 'Requested model m is currently offline', 'model_not_found'],
    [400, 'model m is end-of-life', 'model_not_found'],
    [429, 'You have exceeded your assigned budget.', 'quota_exhausted'],
    [429, 'Your account has reached the set inference limit for the model.', 'quota_exhausted'],
    [403, 'This API request exceeds the currently allocated token quota', 'quota_exhausted'],
    [503, 'system saturated, sheddable request dropped', 'overloaded'],
    [400, "Invalid 'tools[0].function.name': string too long.", 'malformed_request'],
    [400, 'The name of the tool is too long', 'malformed_request'],
    [400, 'This Model is marked by provider as Legacy.', 'model_not_found'],
    [500, 'llm server loading model', 'loading'],
    [400, 'Failed to download image: connection refused', 'malformed_request'],
    [400, 'This operation is not supported by the tool', 'malformed_request'],
  ] as const)(
    'is not misled by a router or an engine that has a %i for %j: %s',
    (status, message, outcome) => {
      expect(outcomeOfRefusal(refusal(status, message))).toBe(outcome);
    },
  );

  it.each([
    [400, "[{'type': 'missing', 'loc': ('body', 'messages'), 'msg': 'Field required', 'input': ECHO}]"],
    [400, "1 validation error:\n  {'msg': \"Input should be 'user'\", 'input': ECHO}"],
    [400, 'Failed to parse tools: Missing name; tools = [ { "x": ECHO } ]'],
    [422, '1 validation error for Request\nmessages\n  Field required [type=missing, input_value=ECHO]'],
  ])(
    'takes what a validator of Python quotes of a request for no word of the host: %i, %j',
    (status, form) => {
      const echo = "{'model': 'm', 'prompt': 'Why is the file not found? My credit balance is too low.'}";
      const request = Buffer.from(echo.replaceAll("'", '"'));
      const said = refusal(status, form.replace('ECHO', echo));
      expect(outcomeOfRefusal({ ...said, request })).toBe('malformed_request');
    },
  );

  it('takes what llama.cpp quotes of a conversation for no word of its own', () => {
    const quoted = '[ { "content": "It said: error loading model, the server is overloaded" } ]';
    const said = refusal(500, `Failed to parse messages: Missing role; messages = ${quoted}`);
    expect(outcomeOfRefusal(said)).toBe('server_error');
  });

  it.each([
    'quota exhausted',
    'quota exceeded',
    'API key "k" is invalid',
    'model m not found',
    'overdue',
    'maximum context length',
    'CUDA error',
    'please wait, rate limit exceeded',
  ])('takes %j for no word of the host where the request says so', (said) => {
    const request = Buffer.from(JSON.stringify({ messages: [{ role: 'user', content: `Why ${said}?` }] }));
    const quoted = refusal(400, `messages.0: Input should be valid, input: 'Why ${said}?'`);
    expect(outcomeOfRefusal({ ...quoted, request })).toBe('malformed_request');
    expect(outcomeOfRefusal(quoted)).not.toBe('malformed_request');
    const own = refusal(400, 'Your credit balance is too low.');
    expect(outcomeOfRefusal({ ...own, request })).toBe('quota_exhausted');
  });

  it.each([400, 413, 414, 431])('takes a %i that is no JSON for one of a proxy', (status) => {
    const text = refusal(status, 'Client sent an HTTP request to an HTTPS server.');
    expect(outcomeOfRefusal({ ...text, isJson: false })).toBe('conflict');
    expect(outcomeOfRefusal({ ...text, error: undefined, isJson: false })).toBe('conflict');
    expect(outcomeOfRefusal(text)).toBe('malformed_request');
  });

  it('takes a 403 without a word for that of a firewall, and a 401 for one of the host', () => {
    const page = { error: undefined, isJson: false, saysWhen: false };
    expect(outcomeOfRefusal({ status: 403, ...page })).toBe('server_error');
    expect(outcomeOfRefusal({ status: 401, ...page })).toBe('credentials_rejected');
    const number = { ...refusal(403, 'error code: 1010'), isJson: false };
    expect(outcomeOfRefusal(number)).toBe('server_error');
    expect(outcomeOfRefusal({ ...number, isJson: true })).toBe('credentials_rejected');
  });

  it('takes the limit of an account for one, though it comes back', () => {
    const said = refusal(429, 'The usage limit has been reached', 'usage_limit_reached');
    expect(outcomeOfRefusal({ ...said, saysWhen: true })).toBe('quota_exhausted');
  });

  it('takes a quota that comes back for a rate limit', () => {
    const said = 'You exceeded your current quota, please check your plan and billing details.';
    expect(outcomeOfRefusal({ ...refusal(429, said), saysWhen: true })).toBe('rate_limited');
    expect(outcomeOfRefusal({ ...refusal(429, said, 'insufficient_quota'), saysWhen: true })).toBe(
      'quota_exhausted',
    );
  });

  it('takes a 424 for a failed inference where the host says so', () => {
    const { error, ...rest } = refusal(424, 'Request failed during generation');
    expect(outcomeOfRefusal({ ...rest, error: { ...error, type: 'generation' } })).toBe('server_error');
  });

  it('does not read on from the code into the message', () => {
    expect(outcomeOfRefusal(refusal(413, 'tokens', 'limit_exceeded'))).toBe('malformed_request');
  });

  it('looks at no more than the beginning of a message', () => {
    // In one piece, as it comes from a host: to make it takes longer than to look at it.
    const message = Buffer.alloc(65_000_000, 'model tokens ').toString('latin1');
    const { result, ms } = timedOnThread(() => outcomeOfRefusal(refusal(400, message)));
    expect(result).toBe('malformed_request');
    expect(ms).toBeLessThan(1_000);
  });

  it('goes by the code where the text says nothing', () => {
    expect(outcomeOfRefusal(refusal(400, 'no', 'context_length_exceeded'))).toBe('context_too_long');
    expect(outcomeOfRefusal(refusal(404, 'no', 'model_not_found'))).toBe('model_not_found');
    expect(outcomeOfRefusal(refusal(429, 'no', 'insufficient_quota'))).toBe('quota_exhausted');
    expect(outcomeOfRefusal(refusal(400, 'no', 'content_policy_violation'))).toBe('policy_refusal');
  });

  it('takes a page of a proxy for its path, and a 503 with a time for load', () => {
    expect(outcomeOfRefusal({ status: 404, error: undefined, isJson: false, saysWhen: false })).toBe(
      'path_not_found',
    );
    expect(outcomeOfRefusal({ ...refusal(503, 'wait'), saysWhen: true })).toBe('overloaded');
  });
});
