import { RepeatableUpload } from '@morgan/distributed-llm';
import { AppError } from '@morgan/foundation';
import { BodyStream, type BodyFormat, type HttpRequest, wrongMediaType } from '@morgan/http-server';
import { FORM_ROUTES } from '../endpoints/endpoint.table.ts';
import { MAX_MODEL_LENGTH } from '../openai/request-checks.ts';
import { boundaryOf, type FormModel, FormScanner } from './form.scanner.ts';

/** A form on its way through. */
export interface FormUpload {
  readonly upload: RepeatableUpload;
  /** None where the form names none. */
  readonly model: string | undefined;
}

/** Which bodies are forms, and what is held of one. */
export function formBodies(heldBytes: number): Required<BodyFormat>['streamed'] {
  return {
    takes: (route, contentType) => {
      if (!FORM_ROUTES.has(route ?? '')) return false;
      if (boundaryOf(contentType) !== undefined) return true;
      throw wrongMediaType('multipart/form-data with a boundary', contentType);
    },
    heldBytes,
  };
}

/**
 * Reads a form up to its model, at most as much as is held.
 * @param mayBeUnknown whether the call can be routed without a model.
 * @throws AppError about the form, or what its upload broke with.
 */
export async function openForm(
  { body, headers }: HttpRequest,
  { heldBytes, mayBeUnknown }: { readonly heldBytes: number; readonly mayBeUnknown: boolean },
): Promise<FormUpload> {
  if (!(body instanceof BodyStream)) throw new AppError('missing_body', 'The request needs a body.');
  const upload = new RepeatableUpload(body, body.declared, heldBytes);
  const scanner = new FormScanner(boundaryOf(headers['content-type']) ?? '');
  const isFound = await upload.peek((chunk) => scanner.push(chunk));
  if (!upload.head) throw new AppError('missing_body', 'The request needs a body.');
  if (!isFound && !upload.isComplete && !mayBeUnknown) throw modelTooLate(heldBytes);
  const { model } = scanner;
  if (model) upload.modelAt = [model.start, model.end];
  return { upload, model: model && nameIn(model) };
}

function nameIn({ name }: FormModel): string {
  if (name.length > 0 && name.length <= MAX_MODEL_LENGTH) return name;
  throw new AppError('invalid_value', `Invalid 'model': it has 1 to ${MAX_MODEL_LENGTH} characters.`, {
    param: 'model',
  });
}

function modelTooLate(heldBytes: number): AppError {
  const message = `The field 'model' must come within the first ${heldBytes} bytes of the form: put it in front of the file.`;
  return new AppError('missing_required_parameter', message, { param: 'model' });
}
