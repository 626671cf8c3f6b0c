import type { AppError } from '@morgan/foundation';
import { isText, type JsonKind, type JsonToken, type JsonVisitor } from '@morgan/http-server';
import { emptyText, wrongType } from './body-fault.ts';

/** Depths inside of `messages`, which is itself a field of the body. */
const MESSAGE = 2;
const MESSAGE_FIELD = 3;

/** Sees the messages of a conversation: how many there are, and what is wrong with the first that is wrong. */
export class MessageListVisitor implements JsonVisitor {
  count = 0;
  fault: AppError | undefined;
  #isRole = false;
  #roleKind: JsonKind | undefined;
  #isEmpty = false;

  key(token: JsonToken, bytes: Buffer): void {
    if (token.depth === MESSAGE_FIELD) this.#isRole = isText(bytes, token, 'role');
  }

  scalar(token: JsonToken): void {
    if (token.depth === MESSAGE) this.#refuse(token.kind);
    else if (token.depth === MESSAGE_FIELD) this.#setField(token);
  }

  open(token: JsonToken): void {
    if (token.depth === MESSAGE && token.kind === 'array') this.#refuse(token.kind);
    else if (token.depth === MESSAGE_FIELD) this.#setField(token);
  }

  close(token: JsonToken): void {
    if (token.depth === MESSAGE && token.kind === 'object') this.#endMessage();
  }

  /** Of fields that come twice the last one counts. */
  #setField({ kind, start, end }: JsonToken): void {
    if (!this.#isRole) return;
    this.#roleKind = kind;
    this.#isEmpty = start === end;
  }

  #refuse(kind: JsonKind): void {
    this.fault ??= wrongType(`messages[${this.count}]`, 'object', kind);
    this.count += 1;
  }

  #endMessage(): void {
    const kind = this.#roleKind;
    if (kind !== 'string') this.fault ??= wrongType(`messages[${this.count}].role`, 'string', kind);
    else if (this.#isEmpty) this.fault ??= emptyText(`messages[${this.count}].role`);
    this.count += 1;
    this.#roleKind = undefined;
  }
}
