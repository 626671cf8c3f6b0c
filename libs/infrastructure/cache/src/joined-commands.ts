import { setImmediate } from 'node:timers/promises';

interface Command<Item, Value> {
  readonly items: Item[];
  readonly values: Promise<readonly Value[]>;
}

/** Sends what is asked for in one turn of the event loop as one command: a command costs more than dozens of keys in it. */
export class JoinedCommands<Item, Value> {
  #open: Command<Item, Value> | undefined;

  /**
   * @param mostItems that one command takes, by what is known then
   * @param send resolves to one value for each item
   */
  constructor(
    private readonly mostItems: () => number,
    private readonly send: (items: readonly Item[]) => Promise<readonly Value[]>,
  ) {}

  /** The values of items, in their order: no more of them than one command takes. @throws what `send` rejects with */
  async run(items: readonly Item[]): Promise<readonly Value[]> {
    const command = this.#commandFor(items.length);
    const start = command.items.length;
    command.items.push(...items);
    return (await command.values).slice(start, start + items.length);
  }

  #commandFor(count: number): Command<Item, Value> {
    if (this.#open && this.#open.items.length + count <= this.mostItems()) return this.#open;
    const items: Item[] = [];
    const command = { items, values: this.#send(items) };
    this.#open = command;
    return command;
  }

  async #send(items: readonly Item[]): Promise<readonly Value[]> {
    await setImmediate();
    if (this.#open?.items === items) this.#open = undefined;
    return this.send(items);
  }
}
