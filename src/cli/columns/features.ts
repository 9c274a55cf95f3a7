/** Columns of the table of features that `fdmap doctor` shows. */

import type { FeatureReport } from '../../index.ts';
import { type Column, member } from './column.ts';

const WORDS = new Map<boolean | null, string>([
  [true, 'yes'],
  [false, 'no'],
  [null, '?'],
]);

export const FEATURE_COLUMNS: readonly Column<FeatureReport>[] = [
  member('name', 'string', 'name of the feature', { heading: 'FEATURE' }),
  member('since', 'string', 'first version of Linux that has it', { align: 'right' }),
  member('commit', 'string', 'commit of Linux that brought it'),
  member('works', 'boolean', 'true, false, or null where it could not be tried (yes, no, ?)', {
    text: ({ works }) => WORDS.get(works),
  }),
  member('summary', 'string', 'what it is for'),
  member('reason', 'string', 'how it is known'),
];
