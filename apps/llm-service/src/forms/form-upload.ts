import { RepeatableUpload } from '@morgan/distributed-llm';
import { AppError } from '@morgan/foundation';
import {
  BodyStream,
  type BodyFormat,
  type HttpRequest,
  isJsonType,
  wrongMediaType,
} from '@morgan/http-server';
import { FORM_ROUTES } from '../endpoints/endpoint.table.ts';
import { MAX_MODEL_LENGTH } from '../outline/request-checks.ts';
import { boundaryOf, type FormModel, FormScanner } from './form.scanner.ts';

/** A form on its way through. */
export interface FormUpload {
  readonly upload: RepeatableUpload;
  /** None where the form names none. */
  readonly model: string | undefined;
}

/** How a form is read. */
interface FormOptions {
  readonly heldBytes: number;
  /** Whether the call can be routed without a model. */
  readonly mayBeUnknown: boolean;
  /** The model that the path names. */
  readonly deployment?: string | undefined;
}

/** Which bodies are forms, and what is held of one. Where forms are taken, JSON is too: some hosts take nothing else there. */
export function formBodies(heldBytes: number): Required<BodyFormat>['streamed'] {
  return {
    takes: (route, contentType) => {
      if (!FORM_ROUTES.has(route ?? '')) return false;
      if (boundaryOf(contentType) !== undefined) return true;
      if (isJsonType(contentType)) return false;
      throw wrongMediaType('multipart/form-data with a boundary, or application/json', contentType);
    },
    heldBytes,
  };
}

/**
 * Reads a form up to its model, at most as much as is held.
 * @throws AppError about the form, or what its upload broke with.
 */
export async function openForm({ body, headers }: HttpRequest, options: FormOptions): Promise<FormUpload> {
  if (!(body instanceof BodyStream)) throw new AppError('missing_body', 'The request needs a body.');
  const upload = new RepeatableUpload(body, body.declared, options.heldBytes);
  try {
    return await readForm(upload, new FormScanner(boundaryOf(headers['content-type']) ?? ''), options);
  } catch (error) {
    // Or whatever watches over it would do so for good: what is left of a refused body never comes to an end.
    upload.close();
    throw error;
  }
}

async function readForm(
  upload: RepeatableUpload,
  scanner: FormScanner,
  { heldBytes, mayBeUnknown, deployment }: FormOptions,
): Promise<FormUpload> {
  const take = (chunk: Buffer) => {
    const isFound = scanner.push(chunk);
    if (scanner.isUnclear) throw unclear();
    if (hasBegun && scanner.model && isAnother(scanner.model, deployment)) throw anotherModel();
    return isFound;
  };
  let hasBegun = false;
  const isFound = await upload.peek(take);
  // One that is found from here on has been routed without, and cannot be replaced.
  hasBegun = !scanner.model;
  upload.onPiece = take;
  if (!upload.head) throw new AppError('missing_body', 'The request needs a body.');
  if (!isFound && !upload.isComplete && !mayBeUnknown) throw modelTooLate(heldBytes);
  const { model } = scanner;
  if (model) upload.modelAt = [model.start, model.end];
  if (model && isAnother(model, deployment)) upload.modelAs = deployment;
  return { upload, model: model && nameIn(model) };
}

function isAnother({ name }: FormModel, deployment: string | undefined): boolean {
  return deployment !== undefined && name !== deployment;
}

/** The path has said which. */
function anotherModel(): AppError {
  const message = `Invalid 'model': it is another than the one in the path.`;
  return new AppError('invalid_value', message, { param: 'model' });
}

function nameIn({ name }: FormModel): string {
  if (name.length > 0 && name.length <= MAX_MODEL_LENGTH) return name;
  throw new AppError('invalid_value', `Invalid 'model': it has 1 to ${MAX_MODEL_LENGTH} characters.`, {
    param: 'model',
  });
}

/** What is routed by one of them may be answered by the other: parsers of hosts take the first or the last. */
function unclear(): AppError {
  const message = `Invalid 'model': it must come once, as a short text that is neither a file nor encoded and whose head is below 8 KiB and in plain lines.`;
  return new AppError('invalid_value', message, { param: 'model' });
}

function modelTooLate(heldBytes: number): AppError {
  const message = `The field 'model' must come within the first ${heldBytes} bytes of the form: put it in front of the file.`;
  return new AppError('missing_required_parameter', message, { param: 'model' });
}
