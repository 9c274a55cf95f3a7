/** Lines of a report for people: a label and what there is to say. */

import { visible } from './terminal.ts';
import { terminalWidth } from './write.ts';

const LABEL = 16;

/** Reasons carry words of the kernel and of npm packages: on a terminal, only what can be seen of them. */
export function line(label: string, text: string): string {
  return `${label.padEnd(LABEL)}  ${terminalWidth() === undefined ? text : visible(text)}\n`;
}
