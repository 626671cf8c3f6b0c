/** A map in bounded memory, for keys that callers make up: those that were set latest stay. */
export class LatestMap<Key, Value> extends Map<Key, Value> {
  /** @param most how many entries are kept */
  constructor(private readonly most: number) {
    super();
  }

  /** Sets an entry, which is the latest then; the oldest goes where there are too many. */
  override set(key: Key, value: Value): this {
    this.delete(key);
    super.set(key, value);
    if (this.size > this.most) this.delete(this.keys().next().value as Key);
    return this;
  }
}
