import { StandardSchemaValidationPipe } from '@nestjs/common';
import { AppError, type ErrorCode } from '@morgan/foundation';
import type { z } from 'zod';

type Issue = z.core.$ZodIssue;

/** Validates every `@Body({ schema })` and answers the first fault in OpenAI's envelope. The value itself is not changed. */
export class RequestValidationPipe extends StandardSchemaValidationPipe {
  constructor() {
    super({
      transform: false,
      exceptionFactory: (issues) => refusalOf(issues as readonly Issue[]),
    });
  }

  /** Nest would walk through all of the body, a million values at once. A key `__proto__` is data here and merged into nothing. */
  protected override stripProtoKeys(): void {
    // Nothing is taken away.
  }
}

/** Turns zod's issues into one error about the first of them: which field, what is wrong, which limit was crossed. */
export function refusalOf(issues: readonly Issue[]): AppError {
  const first = issues[0];
  if (!first) return new AppError('invalid_value', 'The request is not valid.');
  const issue = nearest(first);
  const param = formatPath(
    issue.code === 'unrecognized_keys' ? [...issue.path, ...issue.keys.slice(0, 1)] : issue.path,
  );
  if (param === undefined)
    return new AppError('missing_body', 'The request needs a JSON object as its body.');
  const code = codeFor(issue);
  return new AppError(code, messageFor(code, issue, param), { param });
}

/** In a union every branch fails; the one that got furthest into the value is the one that the caller meant. */
function nearest(issue: Issue): Issue {
  if (issue.code !== 'invalid_union') return issue;
  const branches = issue.errors.map((branch) => branch[0]).filter((found) => found !== undefined);
  const furthest = branches.reduce<Issue | undefined>(
    (best, found) => (best === undefined || progress(found) > progress(best) ? found : best),
    undefined,
  );
  if (!furthest) return issue;
  return nearest({ ...furthest, path: [...issue.path, ...furthest.path] });
}

/** A branch that only finds fault with the size has accepted every element: it got to the end. */
function progress(issue: Issue): number {
  if (issue.code === 'too_big' || issue.code === 'too_small') return Infinity;
  const [first] = issue.path;
  if (first === undefined) return -1;
  return typeof first === 'number' ? first : 0;
}

function codeFor(issue: Issue): ErrorCode {
  if (isMissing(issue)) return 'missing_required_parameter';
  // What may only be absent is known, and not served.
  if (issue.code === 'invalid_type' && issue.expected === 'null') return 'unsupported_parameter';
  if (issue.code === 'invalid_type' || issue.code === 'invalid_union') return 'invalid_type';
  if (issue.code === 'too_small' && issue.origin === 'array') return 'empty_array';
  if (issue.code === 'too_small' && issue.origin === 'string') return 'empty_string';
  if (issue.code === 'too_big' && issue.origin === 'array') return 'array_above_max_length';
  return 'invalid_value';
}

function messageFor(code: ErrorCode, issue: Issue, param: string): string {
  if (code === 'missing_required_parameter') return `Missing required parameter: '${param}'.`;
  if (code === 'array_above_max_length' && issue.code === 'too_big') {
    return `'${param}' has too many elements: at most ${issue.maximum} are allowed.`;
  }
  if (code === 'empty_string') return `'${param}' must not be an empty string.`;
  if (code === 'empty_array') return `'${param}' must have at least one element.`;
  // What a schema says of its field itself reads on behind its name.
  if (/^(is|are) /.test(issue.message)) return `'${param}' ${issue.message}.`;
  return `Invalid '${param}': ${issue.message}.`;
}

function isMissing(issue: Issue): boolean {
  return issue.code === 'invalid_type' && /received undefined$/.test(issue.message);
}

/** `input[3].text`; undefined for the body itself. */
function formatPath(path: readonly PropertyKey[]): string | undefined {
  if (path.length === 0) return undefined;
  return path.reduce<string>(
    (text, key) =>
      typeof key === 'number' ? `${text}[${key}]` : text ? `${text}.${String(key)}` : String(key),
    '',
  );
}
