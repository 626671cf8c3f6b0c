/** What clients were seen to do through the gateway, and against which hosts: docs/clients.md is made of it. */
export class ClientTable {
  readonly #seen = new Map<string, Set<string>>();

  constructor(private readonly hosts: readonly string[]) {}

  /** A client's feature worked against a host. */
  add(client: string, feature: string, host: string): void {
    const row = `\`${client}\` | ${feature}`;
    const seen = this.#seen.get(row) ?? new Set();
    this.#seen.set(row, seen.add(host));
  }

  /** As Markdown, in the order in which the features were seen first. */
  get markdown(): string {
    const cells = (values: readonly string[]) => `| ${values.join(' | ')} |`;
    const lines = [...this.#seen].map(([row, seen]) =>
      cells([row, ...this.hosts.map((host) => (seen.has(host) ? 'works' : '–'))]),
    );
    return [
      cells(['client', 'feature', ...this.hosts]),
      cells(Array(2 + this.hosts.length).fill('---')),
      ...lines,
    ].join('\n');
  }
}
