/** What every whole response of the soak says. */
export const SOAK_TEXT = 'one two three four five six seven eight';
