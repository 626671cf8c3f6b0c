/** What became of loading the configuration again. Settings are named by their paths; values are never shown. */
export interface ReloadReport {
  readonly outcome: 'applied' | 'unchanged' | 'failed';
  /** Those that are in force now. */
  readonly changed: readonly string[];
  /** Those that differ from what runs, and stay so until a restart. */
  readonly needRestart: readonly string[];
  readonly faults: readonly string[];
}
