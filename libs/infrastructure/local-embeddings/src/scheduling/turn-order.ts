/**
 * Gives elements in their order, as many as are asked for: of thousands that wait a batch takes a few, for which nobody has to sort
 * the rest. It is a binary heap, made by one look at each element.
 */
export class TurnOrder<Element> {
  readonly #heap: Element[];
  readonly #isBefore: (one: Element, other: Element) => boolean;

  /** @param isBefore a strict order; of none of the elements may change what it looks at before that was taken */
  constructor(elements: Iterable<Element>, isBefore: (one: Element, other: Element) => boolean) {
    this.#heap = [...elements];
    this.#isBefore = isBefore;
    for (let index = (this.#heap.length >> 1) - 1; index >= 0; index -= 1) this.#sink(index);
  }

  /** The next one; undefined after the last. */
  take(): Element | undefined {
    const first = this.#heap[0];
    const last = this.#heap.pop();
    if (this.#heap.length === 0 || last === undefined) return first;
    this.#heap[0] = last;
    this.#sink(0);
    return first;
  }

  #sink(from: number): void {
    const heap = this.#heap;
    const element = heap[from] as Element;
    let index = from;
    for (;;) {
      let child = 2 * index + 1;
      if (child >= heap.length) break;
      if (child + 1 < heap.length && this.#isBefore(heap[child + 1] as Element, heap[child] as Element))
        child += 1;
      if (!this.#isBefore(heap[child] as Element, element)) break;
      heap[index] = heap[child] as Element;
      index = child;
    }
    heap[index] = element;
  }
}
