/**
 * What the words of a refusal are about. They are those of many hosts, in English and, of Chinese ones, in Chinese; a status
 * alone says too little, as each of them stands with several.
 */
export const CONTEXT =
  /context.?(length|window|size|limit)|maximum.{0,20}context|(prompt|input)s?( text| \(\d+ tokens\))? ((is|are) )?too (long|large)|\btext is too long|reduce the length of (the|your) (messages|prompt|input)|longer than the maximum|too many (input |prompt )?tokens|tokens.{0,40}exceed|exceed.{0,40}(context|tokens|token limit)|tokens? (count|length)\b.{0,30}( exceed| but model only supports)|\btokens\b.{0,20}(larger than the model capacity|but the maximum is)|\bn_ctx\b|max_new_tokens\W+must be|splited_prompt_len|\(\d+\) must be less than[\w ]* max_seq_len|tokens in request more than|string_above_max_length|tokens_limit_reached|\bmax tokens of \d+ exceeded|(prompt|input|sequence|total) length\b.{0,40}(exceed|should be|longer|greater|larger|too long)|max(imum)? (prompt|input|sequence) length|\bprompt exceeds max length\b|must have (less|fewer) than \d+ tokens|(上下文|输入|提示词?|prompt).{0,20}(过长|超长|超限|(超过|超出).{0,12}(长度|token))/i;
/** What is too long is the answer that the request allows, whatever its prompt. */
export const ANSWER_LENGTH =
  /(?<!\+ ?`?)\bmax(imum)?[_ ](completion_|output_|new_)?tokens`? must be less than or equal to|^(?!.*\b(inputs?|prompt|messages|requests?|context|sequence|total|tokens of \d+ exceeded)\b).*\bmax(imum)?[_ ](completion_|output_|new_)?tokens\b/is;
/** Programs in Go have a context of another kind, which has a deadline. */
export const DEADLINE = /deadline|timeout/i;
export const POLICY =
  /content.?(policy|filter|management)|content_policy_violation|moderation|flagged|guardrail|safety.?(system|filter|polic|check)|responsible.?ai|usage (polic|guideline)|data_inspection|inappropriate content|sensitive (content|information|words?)|new_sensitive|prohibited.content|(content|prompt|censorship|moderation)_blocked|\bnsfw (content|images?)\b|\bmodel armor\b|content exists risk|content audit failed|blocked (due to|by|because of) (?!(network|access|admin\w*|organi[sz]ation) polic)(\w+ )?(security|safety|polic|content|filter)|不安全|敏感(内容|信息|词)|违规/i;
/** A policy as the name of a fault, which no host gives to a moderation of its own that is down. */
export const POLICY_NAME = /content.?(policy|filter)|responsible.?ai|data_inspection/i;
export const MODEL =
  /model_?not_?(found|available|supported)|(models?(?! returned)|lora|adapter|deployment|engine)\b.{0,300}\b(never been loaded|not (been )?(found|exist|loaded|available|supported|served|deployed|configured|enabled|activated|hosted|recogni[sz]ed|registered|installed|accessible|servable)|unknown|does not exist|doesn't exist|no longer|unavailable|pull)|(unknown|invalid|unsupported|unavailable|unrecogni[sz]ed|no such|missing|could not find|cannot find|not (a )?valid)([ _](?!(for|of|with|in|on)\b)\w{1,32}){0,2}[ _]?(model|lora|adapter|deployment)|model (identifier|id|name)\b.{0,40}\b(invalid|unknown)|on-demand throughput|model\b.{0,40}\b(unloaded|crashed)|model\b.{0,80}\b(has been|was|is) (deprecated|decommissioned|retired|discontinued|shut down)|marked by provider as legacy|\bmodel\b.{0,40}\b(currently offline|end.of.life)\b|allowed now, your model|模型.{0,40}(不存在|未找到|不支持|未开通|下线|无可用)/is;
/** The same as the name of a fault, which some have for a 5xx. */
export const MODEL_NAME = /model_?not_?(found|exist|available)/i;
/** It cannot be had here, whatever status that is said with: not loaded, not to be loaded, nobody behind a router who has it. */
export const UNLOADABLE =
  /no models? (is |are )?(currently )?loaded|(failed|unable|not|cannot) (to )?load( the)? model|error loading model|waiting for llama runner to start|degraded function cannot be invoked|\bendpoint is (paused|stopped)\b|\bendpoint that is currently closed\b|not have (a|any) deployed model\b|model loading was stopped\b|no adapter found\b|loading lora\b|^channel error$|model failed to load|\bmodel\b.{0,80}\bfailed to load(?! \w)|model requires more (system )?memory|no (available |healthy )?(channel|deployment|provider|endpoint|worker|instance|key)s?\b.{0,40}\bmodels?\b|no available model\b|engine protocol startup was aborted|could not find suitable inference handler\b|\bmodel\b.{0,80}\bratio or price not set\b|无可用渠道|倍率或价格未配置/im;
/** It is there and only not for us, whatever else the key may be good for. */
export const MODEL_ACCESS =
  /model_access_denied|(access|allowed|permission)\b.{0,30}\bmodels?\b|not authorized to perform\b.{0,200}\bfoundation-model\/|\bmodels?\b.{0,60}\b(access|blocked|disabled|not allowed|permission)/is;
/** The same in words that cannot be about what a request asks of a model. */
export const NO_MODEL_ACCESS =
  /(access to|unable to access|permission to (use|access)|not allowed to use)\b.{0,30}\bmodels?\b|terms acceptance|accept (the|its) (\w+ )?(terms|licen[cs]e)|free tier of the model|无权(访问|使用).{0,20}模型/i;
/** What a model cannot do, which says nothing of the model's being there. */
export const MODEL_FEATURE =
  /\b(parameters?|tools?|tool use|function call(s|ing)?|images?|audio|vision|thinking|streaming|json_schema|logprobs|temperature|system (prompt|role|message)s?)\b.{0,120}\b(not (supported|enabled|available|allowed|accessible)|deprecated)/is;
/** What this model does not take, and another one may: a field, or a value of one. */
export const UNSUPPORTED =
  /unsupported_?(parameter|value|params_?error)|\b(not (supported|available|allowed)|unsupported|deprecated)\b.{0,20}\b(with|for|by|on) this model\b|\b(does not|doesn't) support\b.{0,60}\bthis model\b|\bthis model (does not|doesn't) support\b|\bmodel \S{1,100} (does not|doesn't) support (the )?parameter\b|\bmax_(completion_|output_|new_)?tokens\b.{0,20}\b(must|should) be (in the range )?(between \d+ and|less than or equal to|at most|\[\d+,)|\bsupports at most \d+ (completion|output) tokens\b|\bis not a multimodal model\b|\bcannot both be specified for this model\b/i;
/** What this host was not set up for, or is not allowed: it names a flag of its own program, or an account that is not verified. */
export const NOT_HERE =
  /\b(requires?|with|set|enable|pass|provide|use|specify)\b[^.]{0,60}[\s`'"(]--[a-z][a-z-]+|provide the mmproj|\blive search is deprecated\b|configure ai gateway\b|\bonly supports? stream(ing)? (mode|output)\b|\bfalse for non-streaming calls\b|\bmust have stream ?= ?true\b|must provide a chat template|organization must be verified|does not work with the specified model|not accessible via|does not support (the )?(\S+ ){0,3}api\b|does not support (chat|generate|insert)\b|registry\.ollama\.ai\S* does not support|not (yet )?available for this subscription|\bapi.versions? (is |are )?not supported|\bonly for api.versions?\b|unsupported_api_for_model|cannot be used with chat.?completion|\binvalid beta flag\b|\banthropic-beta\W{1,3}header\b|^[\w.]+: extra inputs are not permitted|\bdoes not match any of the expected tags\b|\btype\W{1,3}of tool must be\b|\bat most \d+ \w+\(s\) may be provided in one prompt\b|^(invalid provider|operation not allowed)\.?$|\bx-portkey-\w+ header is required\b/im;
/** The model has written something that its host could not use: another time, or elsewhere, it writes something else. */
export const BADLY_WRITTEN =
  /tool_use_failed|json_validate_failed|output_parse_failed|failed to call a function|model produced invalid content/i;
/** The template of a model, which another one has in other words, takes no such conversation. */
export const TEMPLATE_REFUSES = /\bjinja (exception|template)\b|\bconversation roles must alternate\b/i;
/** A router says so of a host of its own, with 400 as with any other status. */
export const BEHIND_FAILED =
  /\bupstream (connect error|request failed)|failed to (get response from provider|proxy request)|api_?connection_?error|bad_response_status_code|\bunexpected EOF\W*$|\bdial tcp\b/im;
/** There is no such path, whatever status that is said with. */
export const NO_SUCH_PATH =
  /\bno static resource\b|\bno route for that uri\b|\b(operation|count_tokens) is not supported by (\w+ )?provider\b/i;
/** All that Cloudflare says to programs that it takes for bots, by their `user-agent` or their TLS. */
export const FIREWALL_NUMBER = /^\s*error code: 1\d{3}\s*$/;
/** Amazon's API Gateway says so, with a 403, of a path that it does not know. */
export const AWS_NO_ROUTE = /^missing authentication token$/im;
/** Hosts answer 404 as well for a model that is there and that another of their paths serves; routers name the path alone. */
export const OTHER_ENDPOINT =
  /\bmodels?\b.{0,200}\bv1\/(responses|(chat\/)?completions|embeddings)\b|no endpoints found (that|matching)/i;
export const NO_ROUTE =
  /^\W*((http|error|404|410|file|page|resource)\W+)*(not.?found|404|410|gone)\W*$|\b(url|uri|route|path|endpoint|static resource)\b|\bcannot (get|post|delete)\b|\bno api found\b|^method not found|\brequested resource (was not|could not be|cannot be) found/i;
/** The same as the name of a fault, of Moonshot, whose words are of an object. */
export const NO_ROUTE_NAME = /^(url|uri|route|path)[._]not_?found$/im;
/** What a request may refer to by its id: where one is missing, that is about the request. */
export const REFERRED =
  /\b(responses?|conversations?|messages?|files?|items?|assistants?|threads?|vector|batch(es)?|containers?|runs?|prompts?|tools?|connectors?|cached?\w*|fine.?tun\w*|uploads?|voices?|ids?)\b/i;
/** Whether every answer of the conversation has what was thought for it, as Moonshot, DeepSeek and those that serve their models ask. */
export const THOUGHT_MISSED =
  /\bmissing\W{1,4}reasoning_content|\breasoning_content\b[^]{0,60}\b(missing|passed back)\b/i;
/** A part of the conversation that another host has made: only that one keeps it, or can read what it has encrypted. */
export const MADE_ELSEWHERE =
  /\bitem with id\b.{0,300}\bnot found\b|\breferenced \w+ item\b.{0,300}\b(not found|expired)\b|invalid_encrypted_content|\bencrypted content\b.{0,300}\bcould not be (verified|decrypted)|\bcontent\[\]\.thinking\b.{0,60}\bpassed back\b/is;
/** The field of a request that names a response that is kept. */
export const KEPT_FIELD = '"previous_response_id"';
/** Of a request: quotes in a text of it have a backslash. */
export const GOES_ON = /[{,]\s*"previous_response_id"\s*:\s*"[^"]/;
/** One answers so with a 200. */
export const UNKNOWN_ENDPOINT =
  /unexpected endpoint|(unknown|no such|unsupported) (url|route|path|endpoint)/i;
/** What a 404 of the API itself is about, where its words are not among those above. */
export const NAMES_MODEL =
  /\b(models?|deployment|requested entity|no endpoints found for|not found for account|function\b.{0,80}\bnot found)\b/i;
export const KEY =
  /\b(api|access|subscription).?key\b.{0,40}\b(not valid|invalid|incorrect|expired|revoked|disabled|suspended)|\b(invalid|incorrect|expired|revoked|missing|no)[ _-](api|access|subscription).?key|api.?key not found|\bcredential is only authorized\b|authorization header\b.{0,60}\binvalid|\b(missing|invalid)[ _]auth\w*[ _](request )?header|\b(security|access|auth\w*|bearer|session) token\b.{0,60}\b(expired|invalid|not valid|revoked)|user location is not supported|authentication (failed|error)|login fail|无效的?(令牌|密钥|api)|(令牌|密钥|api.?key).{0,12}(无效|过期|失效|错误)/is;
export const SPENT =
  /(insufficient|not.enough).{0,12}(quota|funds|balance|credit)|(balance|credits?|funds|quota)\b.{0,30}\b(insufficient|exhausted|depleted|too low|not enough|run out|used up)|credit balance|(usage|spend(ing)?|key|credit) (limit|cap)s?\b|quota_reached|reached (its|your) (\w+ ){0,4}quota\b|billing (hard |soft )?limit|billing_(hard|soft)_limit|billing_not_active|budget.{0,20}exceeded|exceeded.{0,20}\bbudget\b|exceeded\w{0,10}budget|\bset inference limit\b|arrear|overdue|in good standing|enable billing|payment (method|required)|(account|organization|team).{0,60}(suspended|disabled|deactivated|has been (restricted|banned))|quota.{0,60}exhausted|exceeded (your )?current.{0,20}quota|used up\b.{0,40}(allocation|allowance|quota|credits?)|out of .{0,20}quota|out of credits|(any|more) credits\b|no quota left\b|\b(plan|package|subscription) has expired\b|套餐.{0,6}(到期|过期)|余额不足|欠费|额度(不足|已?用[完尽])/is;
/** Of an account and not of one model, whether or not it comes back. */
export const USED_UP =
  /insufficient_quota|usage.?limit.{0,10}reached|free.usage.exhausted|使用上限|\blimited to \d+ api calls ?\/ ?month\b/i;
/** The same as the name of a fault, which some have for a 5xx. */
export const SPENT_NAME = /insufficient.{0,12}(quota|balance|credit)/i;
/** The same where no time goes with it, which a limit per minute would have. */
export const QUOTA_EXCEEDED = /quota.{0,20}\bexceeded|\bexceed\w*.{0,40}\bquota/i;
export const QUOTA = /billing|quota exceeded for.{0,40}(plan|billing)/i;
/** A limit per minute, whatever is said of bills: what an account has before it pays; Alibaba's of tokens, by the page about it. */
export const SHORT_LIMITS = /\breduced rate limits\b|error-code#token-limit\b/i;
/** A limit that this request alone is above: others fit. */
export const ABOVE_LIMIT =
  /request too large\b.{0,200}\b(tokens per|tpm|tpd)\b|\blong context requests?\b|\bcan only afford\b|exceeds the maximum usage size\b/is;
export const PER_TIME = /\bper.(second|minute|min|hour|day)\b|please wait/i;
/** Some say it with a status of their own. */
export const THROTTLED =
  /throttl|too many requests|rate.?limited|rate.?limit.{0,20}(reached|exceeded|error|hit)|rate.?limit$|^(token|conn) limit$|exceed.{0,40}rate.?limit|rate exceeded|request rate increased too quickly|requests? limit (reached|exceeded)|resource.{0,12}exhausted|\b[rtq]p[smd]\b.{0,20}(limit|exceed|reached)|qps.?overflow|concurren\w{1,16}.{0,20}(limit|exceed)|too many tokens.{0,20}please wait|exceed.{0,60}\bper.(second|minute|min|hour|day)\b|\bper.(second|minute|min|hour|day)\b.{0,40}exceed|过于频繁|限流|速率限制|频率(超|过|限)/im;
export const LOADING =
  /loading|warming.?up|starting up|scaling (up|from)|sleeping|waking up|cold start|not.?ready|still initiali[sz]ing|加载中|启动中/i;
/** The same where another 5xx says it, whose words are about other things that are loaded as well. */
export const MODEL_LOADING =
  /\b(model|deployment|engine|server)\b.{0,60}\b((is|still|currently) (being )?(loading|loaded|starting|initiali[sz]ing|warming)|not ready|is cold)|\bserver loading model\b/i;
export const OVERLOADED =
  /overloaded|over capacity|at capacity|capacity.{0,20}(exceeded|exhausted)|(no|out of) capacity\b|queue is full|too many (concurrent )?requests|maximum queue size|queue full|backpressure|no (available instance|instances available)\b|\bbusy\b|high (traffic|demand)|heavy load|no (free |available |valid )?(slots?|executors?)\b|\bmodel limit reached\b|unable to process your request|pending requests exceeded|reset reason: overflow|request waiting timeout|\bsaturated\b|\bactivator overload\b|aborted by a higher priority|繁忙|过载|访问量过大|负载(已|过)/i;
export const PASSING = /temporar|try again|currently (unavailable|not available)/i;
/** What an engine that broke says in whatever status: vLLM has 400 for all that ends a stream of its, TensorRT-LLM for all else too. */
export const BROKEN_ENGINE =
  /\bengine(core|deaderror| loop| process)?\b.{0,12}\b(encountered an issue|(is|already) dead|not running|errored|died|crashed)\b|background loop (has errored|is not running)|\b(cuda|hip|nccl|cublas)\b.{0,20}\b(error|out of memory)\b/i;
/** The name of a fault that is not the caller's, though the status says so. */
export const HOST_FAULT_NAME = /^(?!.*invalid).*(upstream|internal|(server|service).?(error|unavailable))/is;
/** How SageMaker says with a 424 that its container has failed. */
export const MODEL_SERVER_ERROR = /\breceived server error \(5\d\d\)/i;
/** 424 of inference servers is about their model; elsewhere it is about something that the request refers to. */
export const FAILED_INFERENCE = /^(generation|incomplete_generation|backend)$/i;
