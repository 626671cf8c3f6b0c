import type { AppError } from '@morgan/foundation';
import { isText, type JsonKind, type JsonSpan, type JsonToken, type JsonVisitor } from '@morgan/http-server';
import { emptyText, wrongType } from './body-fault.ts';

/** Depths inside of `messages`, which is itself a field of the body. */
const MESSAGE = 2;
const MESSAGE_FIELD = 3;
const PART_FIELD = 5;

/**
 * Sees the messages of a conversation: how many there are, what is wrong with the first that is wrong, and where its
 * first system and first user text stand.
 */
export class MessageListVisitor implements JsonVisitor {
  count = 0;
  fault: AppError | undefined;
  /** The first message of the role `system` or `developer` that has a text. */
  systemText: JsonSpan | undefined;
  userText: JsonSpan | undefined;
  #field: 'role' | 'content' | undefined;
  #isPartText = false;
  #roleKind: JsonKind | undefined;
  #role: JsonSpan | undefined;
  #content: JsonSpan | undefined;

  key(token: JsonToken, bytes: Buffer): void {
    if (token.depth === MESSAGE_FIELD) {
      this.#field = isText(bytes, token, 'role')
        ? 'role'
        : isText(bytes, token, 'content')
          ? 'content'
          : undefined;
    } else if (token.depth === PART_FIELD) {
      this.#isPartText = this.#field === 'content' && isText(bytes, token, 'text');
    }
  }

  scalar(token: JsonToken): void {
    if (token.depth === MESSAGE) this.#refuse(token.kind);
    else if (token.depth === MESSAGE_FIELD) this.#setField(token);
    else if (token.depth === PART_FIELD && this.#isPartText && token.kind === 'string')
      this.#content ??= spanOf(token);
  }

  open(token: JsonToken): void {
    if (token.depth === MESSAGE && token.kind === 'array') this.#refuse(token.kind);
    else if (token.depth === MESSAGE_FIELD) this.#setField(token);
  }

  close(token: JsonToken, bytes: Buffer): void {
    if (token.depth === MESSAGE && token.kind === 'object') this.#endMessage(bytes);
  }

  /** Of fields that come twice the last one counts. */
  #setField(token: JsonToken): void {
    const text = token.kind === 'string' ? spanOf(token) : undefined;
    if (this.#field === 'content') this.#content = text;
    if (this.#field !== 'role') return;
    this.#roleKind = token.kind;
    this.#role = text;
  }

  #refuse(kind: JsonKind): void {
    this.fault ??= wrongType(`messages[${this.count}]`, 'object', kind);
    this.count += 1;
  }

  #endMessage(bytes: Buffer): void {
    const role = this.#role;
    if (!role) this.fault ??= wrongType(`messages[${this.count}].role`, 'string', this.#roleKind);
    else if (role.start === role.end) this.fault ??= emptyText(`messages[${this.count}].role`);
    else this.#noteText(role, bytes);
    this.count += 1;
    this.#roleKind = undefined;
    this.#role = undefined;
    this.#content = undefined;
  }

  #noteText(role: JsonSpan, bytes: Buffer): void {
    if (!this.#content) return;
    if (!this.userText && isText(bytes, role, 'user')) this.userText = this.#content;
    else if (!this.systemText && (isText(bytes, role, 'system') || isText(bytes, role, 'developer')))
      this.systemText = this.#content;
  }
}

function spanOf({ start, end, escaped }: JsonToken): JsonSpan {
  return { start, end, escaped };
}
